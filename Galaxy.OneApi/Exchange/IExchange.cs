using Galaxy.OneApi.Dialects;

namespace Galaxy.OneApi.Exchange;

/// <summary>An answer that has begun: its first token is there, so no other target is asked any more.</summary>
internal interface IExchange : IAsyncDisposable
{
    /// <summary>What is known of the upstream's answer for the headers, before the body.</summary>
    HttpResponseMessage? Head { get; }

    /// <summary>Writes the answer to the client; headers of the client's response are still open.</summary>
    /// <exception cref="BrokeOffException">The upstream broke off; what it had sent is with the client.</exception>
    Task WriteAsync(HttpContext context, CancellationToken cancellation);

    /// <summary>The usage, as far as the upstream reported it; known at the end.</summary>
    Usage? Usage { get; }

    /// <summary>The number of pieces received, for upstreams that report no usage.</summary>
    int Pieces { get; }

    /// <summary>Known before the first byte goes to the client: the whole answer is here.</summary>
    bool IsWhole { get; }
}

/// <summary>An upstream broke off in the middle. The client gets an error in its own dialect.</summary>
internal sealed class BrokeOffException(ModelError error) : Exception(error.Message)
{
    public ModelError Error => error;

    /// <summary>The upstream has told the client itself, in its own words.</summary>
    public bool IsTold { get; init; }
}
