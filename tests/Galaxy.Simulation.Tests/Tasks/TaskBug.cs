namespace Galaxy.Simulation.Tests.Tasks;

/// <summary>Deliberate mistakes, each of which the simulation must find.</summary>
internal enum TaskBug
{
    None,

    /// <summary>Devices are told before the store knows.</summary>
    EffectsBeforeWrite,

    /// <summary>Clients are answered before the store knows.</summary>
    AnswerBeforeWrite,

    /// <summary>The store takes writes under any token.</summary>
    UnfencedWrites,

    /// <summary>What a device brings along when it comes back is not listened to.</summary>
    AttemptsIgnored,

    /// <summary>A result counts for whatever attempt is the present one.</summary>
    AnyAttemptCounts,

    /// <summary>A new leader takes what is out for what waits.</summary>
    OutForgottenAtTakeOver,

    /// <summary>A new leader does not know what tasks wait for.</summary>
    DependenciesForgottenAtTakeOver,

    /// <summary>Nothing is ever due.</summary>
    NoAlarms,

    /// <summary>A device forgets its result when it has sent it.</summary>
    ResultSentOnce,

    /// <summary>A batch whose outcome is unknown is not written again.</summary>
    UnknownIsFailed,
}
