using System.Security.Cryptography;

namespace Galaxy.LocalHosting.Description;

/// <summary>Where a development system keeps its data, and the key in it.</summary>
public static class DataFolder
{
    private const int MinKeyLength = 8;

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
            // With bytes in it: on a full disk an empty file can still be made.
            File.WriteAllBytes(probe, new byte[4096]);
            File.Delete(probe);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new SystemOptionException(
                $"The data folder {folder} cannot be written to ({refused.Message.TrimEnd('.')}). "
                    + "Name another one with --GALAXY_DATA <folder>."
            );
        }
    }

    /// <summary>The key in the folder; the first call makes a random one, readable by its owner only.</summary>
    /// <exception cref="SystemOptionException">The key in the file is too short to be one.</exception>
    public static string ReadOrCreateKey(string folder)
    {
        var file = Path.Combine(folder, "api-key");
        var present = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        if (present.Length >= MinKeyLength)
            return present;
        if (present.Length > 0)
            throw new SystemOptionException(
                $"The key in {file} has {present.Length} characters; at least {MinKeyLength} are needed. "
                    + "Delete the file for a fresh one."
            );
        var key = "gx-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        // Write the key atomically: a key that is half written would lock all callers out, an empty one would let all
        // callers in.
        var fresh = file + ".new";
        File.Delete(fresh);
        using (var writer = new StreamWriter(fresh, options))
            writer.WriteLine(key);
        File.Move(fresh, file, overwrite: true);
        return key;
    }
}
