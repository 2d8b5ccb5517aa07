namespace Galaxy.LocalHosting;

/// <summary>Which store <c>AddRedis</c> means: <c>--redis server</c>, <c>--redis host:port</c>, or the embedded Garnet.</summary>
internal sealed record RedisChoice(string Name, string? Address, bool Server, string StoreProgram, string DataFolder)
{
    public (string, IReadOnlyList<string>, string) Command(int port, bool persistent)
    {
        var data = persistent ? Path.Combine(DataFolder, Name == "redis" ? Server ? "redis" : "store" : Name) : Directory.CreateTempSubdirectory("galaxy-store-").FullName;
        Directory.CreateDirectory(data);
        var text = port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Server
            ? ("redis-server", ["--bind", "127.0.0.1", "--port", text, "--dir", data, "--appendonly", persistent ? "yes" : "no", "--appendfsync", "always", "--save", ""], data)
            : (StoreProgram, ["--port", text, "--data", data], data);
    }
}
