namespace Galaxy.Architecture.Tests.Deploy;

// What of the Compose Specification (https://compose-spec.io) deploy/compose.yaml uses; any other word in it is an
// error.

internal sealed class ComposeFile
{
    public string Name { get; set; } = "";
    public Dictionary<string, ComposeService> Services { get; set; } = [];
    public Dictionary<string, Empty> Networks { get; set; } = [];
    public Dictionary<string, Empty> Volumes { get; set; } = [];
    public Dictionary<string, ComposeSecret> Secrets { get; set; } = [];
}

internal sealed class Empty;

internal sealed class ComposeSecret
{
    public string File { get; set; } = "";
}

internal sealed class ComposeService
{
    public string Image { get; set; } = "";
    public List<string> Command { get; set; } = [];
    public string Restart { get; set; } = "";
    public bool ReadOnly { get; set; }
    public List<string> Tmpfs { get; set; } = [];
    public List<string> CapDrop { get; set; } = [];
    public List<string> SecurityOpt { get; set; } = [];
    public List<string> Secrets { get; set; } = [];
    public List<string> Networks { get; set; } = [];
    public string NetworkMode { get; set; } = "";
    public string StopGracePeriod { get; set; } = "";
    public Dictionary<string, string> Environment { get; set; } = [];
    public List<string> Volumes { get; set; } = [];
    public List<string> Ports { get; set; } = [];
    public Dictionary<string, ComposeDependency> DependsOn { get; set; } = [];
    public ComposeHealth? Healthcheck { get; set; }
}

internal sealed class ComposeDependency
{
    public string Condition { get; set; } = "";
}

internal sealed class ComposeHealth
{
    public List<string> Test { get; set; } = [];
    public string Interval { get; set; } = "";
    public string Timeout { get; set; } = "";
    public int Retries { get; set; }
    public string StartPeriod { get; set; } = "";
}
