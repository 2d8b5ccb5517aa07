using System.Security.Cryptography;

namespace Galaxy.LocalHosting.Description;

/// <summary>Where a development system keeps its data, and the key in it.</summary>
public static class DataFolder
{
    /// <summary><c>.galaxy</c> beside the solution, or the folder that <c>GALAXY_DATA</c> names.</summary>
    public static string Find(string? named, string repository) =>
        named is { Length: > 0 } ? Path.GetFullPath(named) : Path.Combine(repository, ".galaxy");

    /// <summary>Makes the folder, and proves that it can be written to.</summary>
    /// <exception cref="SystemOptionException">It cannot.</exception>
    public static void Prepare(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, $".probe-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new SystemOptionException(
                $"The data folder {folder} cannot be written to ({refused.Message.TrimEnd('.')}). "
                + "Name another one with --GALAXY_DATA <folder>.");
        }
    }

    /// <summary>The key in the folder; the first call makes a random one, readable by its owner only.</summary>
    public static string ReadOrCreateKey(string folder)
    {
        var file = Path.Combine(folder, "api-key");
        if (File.Exists(file))
            return File.ReadAllText(file).Trim();
        var key = "gx-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(file, options))
            writer.WriteLine(key);
        return key;
    }
}
