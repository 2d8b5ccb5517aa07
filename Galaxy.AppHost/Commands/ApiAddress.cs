namespace Galaxy.AppHost.Commands;

/// <summary>The address of the running system's API, and its key.</summary>
internal sealed record ApiAddress(string Url, string Key);
