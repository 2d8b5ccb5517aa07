namespace Galaxy.Gateway.Routing;

/// <summary>The three doors, by local port.</summary>
/// <param name="Ui">Console, API and sockets.</param>
/// <param name="Api">API and sockets, no console.</param>
/// <param name="Sockets">Sockets only.</param>
internal sealed record GatewayPorts(int Ui, int Api, int Sockets);
