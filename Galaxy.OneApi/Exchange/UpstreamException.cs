using Galaxy.OneApi.Dialects;

namespace Galaxy.OneApi.Exchange;

/// <summary>A provider refused, failed or broke off before its first token: another may be asked.</summary>
internal sealed class UpstreamException(ModelError error) : Exception(error.Message)
{
    public ModelError Error => error;

    /// <summary>
    /// The refusal as the provider wrote it, for clients of the same dialect; null: there is none, or it is not for
    /// clients.
    /// </summary>
    public RawRefusal? Raw { get; init; }

    /// <summary>The provider rejects this service's key. The client cannot fix that.</summary>
    public bool IsRefusedKey { get; init; }

    /// <summary>The provider's key is to blame: the next key may be tried.</summary>
    public bool IsOfKey => IsRefusedKey || error.Kind == ErrorKind.RateLimited;

    /// <summary>The request itself is wrong: no other target would answer differently.</summary>
    public bool IsFinal => error.Kind is ErrorKind.InvalidRequest or ErrorKind.TooLarge;

    /// <summary>The provider is in trouble, not the request.</summary>
    public bool IsOfProvider =>
        !IsRefusedKey && error.Kind is ErrorKind.Upstream or ErrorKind.Timeout or ErrorKind.Overloaded;
}

internal sealed record RawRefusal(Wire Wire, int Status, byte[] Body, string MediaType);
