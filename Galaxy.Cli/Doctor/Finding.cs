namespace Galaxy.Cli.Doctor;

/// <summary>The severity of a finding.</summary>
internal enum Severity
{
    Fine,
    Warning,
    Fault,
}

/// <summary>The result of one check.</summary>
/// <param name="Check">What was checked, for instance <c>store</c>.</param>
/// <param name="What">What was found, in one sentence.</param>
/// <param name="Cure">What to do about it; empty when nothing is to be done.</param>
internal sealed record Finding(string Check, Severity Severity, string What, string Cure = "")
{
    public static Finding Fine(string check, string what) => new(check, Severity.Fine, what);

    public static Finding Warning(string check, string what, string cure) => new(check, Severity.Warning, what, cure);

    public static Finding Fault(string check, string what, string cure) => new(check, Severity.Fault, what, cure);
}
