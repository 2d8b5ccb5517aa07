using System.Runtime.Versioning;
using Galaxy.LocalHosting.Processes;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Cli.Doctor;

/// <summary>What can be seen on this machine alone: settings, key, ports, disk.</summary>
internal static class MachineChecks
{
    private const long LowBytes = 1L << 30;
    private const long NoBytes = 64L << 20;

    // Which service needs which port, unless a setting says otherwise.
    private static readonly (string Setting, int Port, string For)[] Ports =
    [
        ("WEB_UI_PORT", 8080, "the console"),
        ("API_PORT", 8000, "the API"),
        ("WEBSOCKET_PORT", 8765, "devices"),
        ("", 8071, "the coordinator"),
        ("", 9071, "the coordinator's gRPC"),
        ("", 8004, "the router"),
        ("", 8001, "models"),
        ("", 8037, "discovery"),
        ("", 9037, "discovery's gRPC"),
        ("", 8090, "the console's service"),
        ("OTLP_GRPC_PORT", 4317, "telemetry"),
        ("OTLP_HTTP_PORT", 4318, "telemetry"),
    ];

    // Our own programs, as the system names processes: at most 15 letters.
    private static readonly string[] Ours =
    [
        "Galaxy.Gateway",
        "Galaxy.Coordina",
        "Galaxy.Router",
        "Galaxy.OneApi",
        "Galaxy.Discover",
        "Galaxy.Console",
        "Galaxy.Store",
    ];

    public static IEnumerable<Finding> Settings(SettingException? refused) =>
        refused is null
            ? [Finding.Fine("settings", "All settings can be read.")]
            :
            [
                Finding.Fault(
                    "settings",
                    refused.Message,
                    "Correct it in the environment, .env or config.json of this folder; docs/operations.md "
                        + "lists what is allowed."
                ),
            ];

    public static IEnumerable<Finding> Key(Patient patient)
    {
        if (patient.Settings["GALAXY_API_KEY"] is not { Length: > 0 })
            yield return Finding.Fault(
                "key",
                "GALAXY_API_KEY is not set, so nothing listens beyond this machine.",
                "Run ./deploy.sh, which writes a key into .env; on further machines put the first one's key there."
            );
        else
            yield return Finding.Fine("key", "GALAXY_API_KEY is set.");
        var env = Path.Combine(patient.Folder, ".env");
        if (
            !OperatingSystem.IsWindows()
            && File.Exists(env)
            && (File.GetUnixFileMode(env) & (UnixFileMode.OtherRead | UnixFileMode.GroupRead)) != 0
        )
            yield return Finding.Warning(
                "key",
                "Others on this machine can read .env, and the key in it.",
                "chmod 600 .env"
            );
    }

    public static IEnumerable<Finding> TcpPorts(Patient patient)
    {
        if (patient.Node is not { Role: not NodeRole.Worker })
            yield break;
        var taken = 0;
        foreach (var (setting, port, purpose) in Ports)
        {
            var number =
                setting.Length > 0 && int.TryParse(patient.Settings[setting], out var set) && set > 0 ? set : port;
            if (
                PortOwner.Find(number) is not { } owner
                || Array.Exists(Ours, ours => owner.StartsWith(ours, StringComparison.Ordinal))
            )
                continue;
            taken++;
            yield return Finding.Fault(
                "ports",
                $"Port {number}, which {purpose} needs, is taken by {owner}.",
                setting.Length > 0
                    ? $"Stop that program, or set {setting} to another port."
                    : "Stop that program, or give it another port."
            );
        }
        if (taken == 0)
            yield return Finding.Fine(
                "ports",
                OperatingSystem.IsLinux()
                    ? "The ports that this machine needs are free, or Galaxy's already."
                    : "Who uses which port is only looked up on Linux."
            );
    }

    public static IEnumerable<Finding> Disk(Patient patient)
    {
        var folder = patient.Data;
        string? problem = null;
        try
        {
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, $".doctor-{Environment.ProcessId}");
            File.WriteAllBytes(probe, new byte[64 * 1024]);
            File.Delete(probe);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            problem = refused.Message;
        }
        if (problem is not null)
        {
            yield return Finding.Fault(
                "disk",
                $"{folder} cannot be written: {problem}",
                "Free space, mend its owner and rights, or set GALAXY_DATA to another folder."
            );
            yield break;
        }
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < LowBytes)
            yield return new Finding(
                "disk",
                free < NoBytes ? Severity.Fault : Severity.Warning,
                $"Only {free >> 20} MB are free where {folder} is.",
                "Free some space, or set GALAXY_DATA to a folder on another disk: the store stops taking "
                    + "writes when it is full."
            );
        else
            yield return Finding.Fine("disk", $"{free >> 30} GB are free for {folder}.");
    }
}
