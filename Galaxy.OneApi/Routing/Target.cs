using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Routing;

internal enum Backend
{
    Http,
    Echo,
    Device,
}

/// <summary>A model of a provider.</summary>
/// <param name="Provider">Null for what is no HTTP provider.</param>
internal sealed record Target(Backend Backend, Provider? Provider, string Model)
{
    /// <summary>The device, where one answers.</summary>
    public string? Device { get; init; }

    public string Owner =>
        Backend switch
        {
            Backend.Echo => ProviderCatalog.BuiltIn,
            Backend.Device => ProviderCatalog.Device,
            _ => Provider!.Name,
        };

    /// <summary>As clients name it.</summary>
    public string Id => Backend == Backend.Device ? $"{Owner}/{Device}/{Model}" : $"{Owner}/{Model}";
}

/// <summary>The targets to ask, in this order.</summary>
internal sealed record Plan(IReadOnlyList<Target> Targets)
{
    /// <summary>When the conversation is too long for the others.</summary>
    public IReadOnlyList<Target> OnContext { get; init; } = [];

    /// <summary>When the others refuse what it is about.</summary>
    public IReadOnlyList<Target> OnFilter { get; init; } = [];

    /// <summary>As the client asked.</summary>
    public required string Asked { get; init; }
}
