using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Galaxy.AppHost;

/// <summary>The key of local runs: <c>GALAXY_API_KEY</c>, or a random one that is kept in the data folder.</summary>
internal static class LocalKey
{
    /// <summary>Where a local run keeps its data.</summary>
    public static string Folder(IConfiguration configuration, string appHostDirectory) =>
        configuration["GALAXY_DATA"] is { Length: > 0 } named ? Path.GetFullPath(named) : Path.GetFullPath(Path.Combine(appHostDirectory, "..", ".galaxy"));

    public static string ReadOrCreate(IConfiguration configuration, string folder)
    {
        if (configuration["GALAXY_API_KEY"] is { Length: > 0 } given)
            return given;
        var file = Path.Combine(folder, "api-key");
        if (File.Exists(file))
            return File.ReadAllText(file).Trim();
        Directory.CreateDirectory(folder);
        var key = "gx-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(file, options))
            writer.WriteLine(key);
        return key;
    }
}
