using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;

namespace Galaxy.Coordinator.Tasks;

/// <summary>What devices and clients tell the task engine.</summary>
internal abstract record TaskEvent
{
    private TaskEvent() { }

    /// <param name="Running">Attempts that the device still runs, or has a result for.</param>
    public sealed record DeviceJoined(DeviceSession Session, IReadOnlyCollection<string> Running) : TaskEvent;

    public sealed record DeviceGone(string DeviceId) : TaskEvent;

    public sealed record Progress(string DeviceId, string TaskId, string AttemptId, double Fraction) : TaskEvent;

    /// <param name="AttemptId">Empty from devices that do not know attempts.</param>
    public sealed record Result(string DeviceId, string TaskId, string AttemptId, bool Failed, JsonNode? Output, string Error) : TaskEvent;

    /// <summary>A task that is durable now.</summary>
    public sealed record Submitted(TaskView Task) : TaskEvent;

    /// <summary>Look for work to hand out and for attempts that are overdue.</summary>
    public sealed record Sweep : TaskEvent;
}
