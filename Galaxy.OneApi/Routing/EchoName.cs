namespace Galaxy.OneApi.Routing;

/// <summary>How the built-in model that answers without a provider is called.</summary>
internal static class EchoName
{
    public const string Full = "galaxy/echo";

    /// <summary>Without the provider in front.</summary>
    public const string Short = "echo";
}
