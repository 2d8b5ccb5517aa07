using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;

namespace Galaxy.Coordinator.Tasks;

/// <summary>What devices and clients tell the task engine.</summary>
internal abstract record TaskEvent
{
    private TaskEvent() { }

    /// <param name="Running">Attempts that the device still runs, or has a result for; null: it cannot tell.</param>
    public sealed record DeviceJoined(DeviceSession Session, IReadOnlyCollection<string>? Running) : TaskEvent;

    /// <summary>What is registered of the device has changed.</summary>
    public sealed record DeviceChanged(string DeviceId) : TaskEvent;

    public sealed record DeviceGone(string DeviceId) : TaskEvent;

    public sealed record Progress(string DeviceId, string TaskId, string AttemptId, double Fraction) : TaskEvent;

    /// <param name="AttemptId">Empty from devices that do not know attempts.</param>
    /// <param name="Output">JSON; empty: none.</param>
    public sealed record Result(
        string DeviceId,
        string TaskId,
        string AttemptId,
        bool Failed,
        ReadOnlyMemory<byte> Output,
        string Error
    ) : TaskEvent;

    /// <summary>A client wants something and waits for it to be durable.</summary>
    public abstract record Request : TaskEvent
    {
        /// <summary>The task as it is stored then; null: there is no such open task.</summary>
        public TaskCompletionSource<TaskView?> Answer { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        private int _claimed;

        /// <summary>
        /// Claims the request: the first caller wins, either the engine that begins with it or the client that gives it
        /// up. So a request that was given up is never executed.
        /// </summary>
        public bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;
    }

    /// <summary>All of it is accepted in one turn, or nothing.</summary>
    /// <param name="Submissions">Of each: the task that is answered with, then its parts.</param>
    /// <param name="Ends">How tasks ended that these depend on.</param>
    /// <param name="Refused">Parts that cannot be done, and why.</param>
    public sealed record Submit(
        IReadOnlyList<IReadOnlyList<TaskView>> Submissions,
        IReadOnlyDictionary<string, TaskState> Ends,
        IReadOnlyDictionary<string, string> Refused
    ) : Request
    {
        /// <summary>
        /// The takeover in which the store was asked for the submissions' keys; null: they have none.
        /// </summary>
        public long? Takeover { get; init; }

        /// <summary>What it takes in the store.</summary>
        public required long Bytes { get; init; }

        /// <summary>
        /// The task of each submission: its own, or the one that was accepted with its key before. Set by the engine
        /// before it answers.
        /// </summary>
        public IReadOnlyList<string> TaskIds { get; set; } = [];

        /// <summary>
        /// These tasks once they are durable; null where one ended in an earlier turn. Set by the engine before it
        /// answers.
        /// </summary>
        public IReadOnlyList<TaskView?> Accepted { get; set; } = [];
    }

    public sealed record Cancel(string TaskId, string Reason) : Request;

    public sealed record Release(string TaskId) : Request;

    /// <summary>A task that was set aside is read again from the store.</summary>
    public sealed record Reload(string TaskId) : Request;

    /// <summary>A task that was set aside is deleted from the store.</summary>
    public sealed record Drop(string TaskId) : Request;

    /// <summary>Something may be due.</summary>
    public sealed record Tick : TaskEvent;
}
