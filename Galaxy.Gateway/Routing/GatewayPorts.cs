namespace Galaxy.Gateway.Routing;

/// <summary>The listeners, by local port.</summary>
/// <param name="Ui">Console, API and sockets.</param>
/// <param name="Api">API and sockets, no console.</param>
/// <param name="Sockets">Sockets only.</param>
/// <param name="Tls">The same as <paramref name="Ui"/>, with TLS; null: there is none.</param>
internal sealed record GatewayPorts(int Ui, int Api, int Sockets, int? Tls);
