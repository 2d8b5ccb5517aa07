using Galaxy.LocalHosting.Description;

namespace Galaxy.LocalHosting.Processes;

/// <summary>An endpoint with the port that a process listens on.</summary>
public sealed record BoundEndpoint(EndpointDescription Endpoint, int Port)
{
    public string Name => Endpoint.Name;

    /// <summary>The address on this machine.</summary>
    public string Url => $"{Endpoint.Scheme}://127.0.0.1:{Port}";
}
