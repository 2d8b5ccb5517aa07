using System.Globalization;
using Galaxy.LocalHosting.Description;

namespace Galaxy.LocalHosting.Tests.Description;

public sealed class DataFolderTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_call_makes_a_key_that_only_its_owner_reads_and_the_next_finds_it()
    {
        var key = DataFolder.ReadOrCreateKey(_folder.Path);

        Assert.Equal(key, DataFolder.ReadOrCreateKey(_folder.Path));
        Assert.Equal(["api-key"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["api-key"]));
    }

    [Fact]
    public void An_empty_file_gets_a_key_and_one_that_is_too_short_is_left_alone()
    {
        File.WriteAllText(_folder["api-key"], "\n");
        // Of a process that ended while it wrote.
        File.WriteAllText(_folder["api-key.new"], "half");
        Assert.StartsWith("gx-", DataFolder.ReadOrCreateKey(_folder.Path), StringComparison.Ordinal);

        File.WriteAllText(_folder["api-key"], "1234567\n");
        var refused = Assert.Throws<SystemOptionException>(() => DataFolder.ReadOrCreateKey(_folder.Path));
        Assert.Contains("has 7 characters; at least 8", refused.Message, StringComparison.Ordinal);
        Assert.Equal("1234567\n", File.ReadAllText(_folder["api-key"]));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named_with_the_cure()
    {
        File.WriteAllText(_folder["file"], "");

        var refused = Assert.Throws<SystemOptionException>(() => DataFolder.Prepare(_folder["file/data"]));

        Assert.Contains(_folder["file/data"], refused.Message, StringComparison.Ordinal);
        Assert.Contains("--GALAXY_DATA <folder>", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_system_claims_a_folder_and_the_next_one_when_it_has_ended()
    {
        using (DataFolderLock.Acquire(_folder.Path))
        {
            var refused = Assert.Throws<AlreadyRunsException>(() => DataFolderLock.Acquire(_folder.Path));
            Assert.Contains(
                $"process {Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}",
                refused.Message,
                StringComparison.Ordinal
            );
        }
        Assert.False(File.Exists(_folder[".pid"]));

        // Of a process that was killed: a lock ends with its process, the file does not.
        File.WriteAllText(_folder[".pid"], "99999999");
        using var next = DataFolderLock.Acquire(_folder.Path);
    }
}
