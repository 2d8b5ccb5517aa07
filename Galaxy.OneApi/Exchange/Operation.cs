namespace Galaxy.OneApi.Exchange;

/// <summary>What is asked for, apart from the body.</summary>
/// <param name="Operation">As OpenTelemetry calls it, for instance <c>chat</c>.</param>
/// <param name="ContentField">What a body must have besides a model.</param>
internal sealed record Operation(string Name, string ContentField);
