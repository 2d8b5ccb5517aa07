namespace Galaxy.AppHost.Commands;

/// <summary>Where the API of the running system answers, and the key that opens it.</summary>
internal sealed record ApiAddress(string Url, string Key);
