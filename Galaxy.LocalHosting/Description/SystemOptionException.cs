namespace Galaxy.LocalHosting.Description;

/// <summary>
/// An option or setting that the user can correct; the message is one or two sentences that name the cure.
/// </summary>
public sealed class SystemOptionException(string message) : Exception(message)
{
    /// <summary>The exit code of a program that ends for this reason.</summary>
    public const int ExitCode = 2;
}
