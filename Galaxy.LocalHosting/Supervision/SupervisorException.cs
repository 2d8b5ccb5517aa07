namespace Galaxy.LocalHosting.Supervision;

/// <summary>A process of the system could not be started; the message is one sentence that names the cause.</summary>
public sealed class SupervisorException(string message) : Exception(message);
