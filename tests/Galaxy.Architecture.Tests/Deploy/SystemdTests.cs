namespace Galaxy.Architecture.Tests.Deploy;

/// <summary>
/// <c>deploy/systemd</c>: sections and keys of systemd.unit(5), systemd.service(5) and systemd.exec(5), and files that
/// deploy.sh makes.
/// </summary>
public class SystemdTests
{
    private static readonly Dictionary<string, string[]> Known = new()
    {
        ["Unit"] = ["Description", "Documentation", "Wants", "After"],
        ["Service"] =
        [
            "Type",
            "User",
            "Group",
            "EnvironmentFile",
            "Environment",
            "StateDirectory",
            "StateDirectoryMode",
            "WorkingDirectory",
            "ExecStart",
            "Restart",
            "RestartSec",
            "KillMode",
            "TimeoutStopSec",
            "LimitNOFILE",
            "NoNewPrivileges",
            "ProtectSystem",
            "ProtectHome",
            "PrivateTmp",
            "PrivateDevices",
            "ProtectKernelTunables",
            "ProtectKernelModules",
            "ProtectControlGroups",
            "RestrictSUIDSGID",
            "RestrictRealtime",
            "LockPersonality",
        ],
        ["Install"] = ["WantedBy"],
    };

    [Theory]
    [InlineData("galaxy.service", "start")]
    [InlineData("galaxy-worker.service", "worker")]
    public void A_unit_starts_the_command_that_it_is_for_and_nothing_in_it_is_misspelt(string unit, string command)
    {
        var (section, values) = ("", new Dictionary<string, string>());
        foreach (
            var line in Repository
                .Read("deploy", "systemd", unit)
                .Split('\n')
                .Where(line => line.Length > 0 && line[0] != '#')
        )
        {
            if (line[0] == '[')
            {
                section = line.Trim('[', ']');
                Assert.Contains(section, Known.Keys);
                continue;
            }
            var (key, value) = (
                line[..line.IndexOf('=', StringComparison.Ordinal)],
                line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..]
            );
            Assert.Contains(key, Known[section]);
            Assert.True(values.TryAdd(key, value), $"{unit} says {key} twice");
        }
        Assert.Equal($"/usr/bin/env dotnet /opt/galaxy/Galaxy.Cli/galaxy.dll {command}", values["ExecStart"]);
        Assert.Equal("galaxy", values["User"]);
        Assert.Equal("always", values["Restart"]);
        Assert.Contains("GALAXY_DATA=/var/lib/" + values["StateDirectory"], values["Environment"]);
    }
}
