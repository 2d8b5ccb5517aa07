using Galaxy.LocalHosting.Description;

namespace Galaxy.LocalHosting.Tests.Description;

public sealed class ProgramFolderTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    private void Touch(string path)
    {
        var file = _folder[path];
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "");
        if (OperatingSystem.IsWindows())
            File.WriteAllText(file + ".exe", "");
    }

    [Fact]
    public void Published_programs_are_found_beside_this_one()
    {
        Touch("Galaxy.Coordinator/Galaxy.Coordinator");

        var programs = ProgramFolder.Beside(_folder["Galaxy.Cli/"])!;

        Assert.StartsWith(
            _folder["Galaxy.Cli/galaxy"],
            programs.Program(GalaxyServices.Worker),
            StringComparison.Ordinal
        );
        Assert.Equal(_folder["Galaxy.Router"], programs.WorkingDirectory(GalaxyServices.Router));
    }

    [Fact]
    public void Built_programs_are_found_in_the_configuration_that_this_one_was_built_in()
    {
        Touch("Galaxy.sln");
        Touch("Galaxy.Coordinator/bin/Release/net10.0/Galaxy.Coordinator");

        Assert.Null(ProgramFolder.Beside(_folder["Galaxy.Cli/bin/Debug/net10.0/"]));
        Assert.Equal(
            _folder["Galaxy.Router"],
            ProgramFolder.Beside(_folder["Galaxy.Cli/bin/Release/net10.0/"])?.WorkingDirectory(GalaxyServices.Router)
        );
    }
}
