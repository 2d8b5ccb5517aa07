using System.Diagnostics;

namespace Galaxy.Architecture.Tests.Deploy;

/// <summary><c>deploy.sh</c> in odd places, with a stand-in for the SDK that only notes what it was told.</summary>
public sealed class DeployScriptTests : IDisposable
{
    private readonly string _folder = Path.Combine(
        Directory.CreateTempSubdirectory("galaxy-deploy-").FullName,
        "mein Ordner ğüş"
    );

    public DeployScriptTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "bin"));
        foreach (var name in new[] { "deploy.sh", ".env.example" })
            File.Copy(Path.Combine(Repository.Root, name), Path.Combine(_folder, name));
        var dotnet = Path.Combine(_folder, "bin", "dotnet");
        File.WriteAllText(
            dotnet,
            """
            #!/bin/sh
            [ "$1" = --list-sdks ] && { echo "10.0.100 [/usr/share/dotnet/sdk]"; exit 0; }
            printf '%s\n' "$DOTNET_CLI_HOME" "$@" > told

            """
        );
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(dotnet, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    public static bool HasBash => File.Exists("/bin/bash");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);

    private (int Code, string Output) Run(params (string Name, string? Value)[] environment)
    {
        var info = new ProcessStartInfo("/bin/bash", ["deploy.sh"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["PATH"] = Path.Combine(_folder, "bin") + ":/usr/bin:/bin";
        info.Environment.Remove("GALAXY_API_KEY");
        info.Environment.Remove("DOTNET_CLI_HOME");
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    [Theory(Skip = "There is no bash.", SkipUnless = nameof(HasBash))]
    [InlineData("C")]
    [InlineData("tr_TR.UTF-8")]
    [InlineData("de_DE.UTF-8")]
    public void A_folder_with_blanks_and_letters_beyond_ascii_will_do_in_any_locale(string locale)
    {
        var (code, output) = Run(("LC_ALL", locale), ("HOME", _folder));

        Assert.True(code == 0, output);
        Assert.Contains("MB free", output, StringComparison.Ordinal);
        Assert.Matches("(?m)^GALAXY_API_KEY=gx-[0-9a-f]{40}$", File.ReadAllText(Path.Combine(_folder, ".env")));
        Assert.Equal(
            ["", "build", "-nologo", "-v", "quiet", "deploy/machine.proj"],
            File.ReadAllLines(Path.Combine(_folder, "told"))
        );
    }

    [Fact(Skip = "There is no bash.", SkipUnless = nameof(HasBash))]
    public void A_user_without_a_home_gets_one_in_the_folder()
    {
        // Below a file no folder can be made, not even by root.
        var impossible = Path.Combine(_folder, "deploy.sh", "home");
        var (code, output) = Run(("HOME", impossible));

        Assert.True(code == 0, output);
        Assert.Contains($"'{impossible}' cannot be written", output, StringComparison.Ordinal);
        var home = File.ReadAllLines(Path.Combine(_folder, "told"))[0];
        Assert.Equal(Path.Combine(_folder, ".galaxy", "dotnet"), home);
        Assert.True(Directory.Exists(home));
    }
}
