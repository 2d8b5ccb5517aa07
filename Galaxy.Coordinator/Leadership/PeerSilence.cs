namespace Galaxy.Coordinator.Leadership;

/// <summary>What a peer that does not answer looks like from here.</summary>
internal enum PeerSilence
{
    /// <summary>Its machine refuses the connection: the process is gone.</summary>
    Refused,

    /// <summary>Its machine accepts the connection, but the process does not answer: it hangs.</summary>
    Hangs,

    /// <summary>Nothing comes back at all.</summary>
    Unreachable,
}
