namespace Galaxy.Contracts.Api;

/// <summary>A stored record that cannot be read or used, and was set aside.</summary>
/// <param name="Kind"><c>tasks</c>, or the namespace of the replicated state.</param>
/// <param name="Reason">What was wrong with it when it was read last.</param>
/// <param name="Bytes">Its length; 0: not known.</param>
/// <param name="Since">When this coordinator found it.</param>
public sealed record QuarantinedRecord(string Kind, string Id, string Reason, int Bytes, DateTimeOffset Since);
