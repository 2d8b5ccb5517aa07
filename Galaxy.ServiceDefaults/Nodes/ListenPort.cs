using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Galaxy.ServiceDefaults.Nodes;

/// <summary>A port that a service listens on.</summary>
/// <param name="Variable">The setting that changes it.</param>
/// <param name="Default">The port when the setting is absent.</param>
public sealed record ListenPort(string Variable, int Default, HttpProtocols Protocols = HttpProtocols.Http1)
{
    /// <summary>What else is to be set of it, for instance TLS.</summary>
    public Action<ListenOptions>? Configure { get; init; }
}

/// <summary>Where this process listens and under which address others reach it. Thread-safe.</summary>
/// <param name="host">A host name or an address.</param>
/// <param name="ports">In the order of the <see cref="ListenPort"/>s asked for.</param>
/// <param name="follows">The host is this machine's present address, and changes when that does.</param>
public sealed class ListenAddresses(string host, IReadOnlyList<int> ports, bool follows = false)
{
    private volatile string _host = host;

    /// <summary>The host in the addresses that others are told.</summary>
    public string Host => _host;

    public IReadOnlyList<int> Ports => ports;

    public string Url(int index) =>
        $"http://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Ports[index]}";

    /// <summary>
    /// Looks whether this machine still has that address, and takes another if not. True when it did.
    /// </summary>
    public bool Follow(OwnAddresses own)
    {
        if (!follows || (own.IsOwn(_host) && !OwnAddresses.IsLoopback(_host)))
            return false;
        var chosen = OwnAddresses.Choose().ToString();
        // With no network at all the old address is as good as any, and may come back.
        if (chosen == _host || OwnAddresses.IsLoopback(chosen))
            return false;
        _host = chosen;
        return true;
    }
}

/// <summary>Decides addresses and refuses a listener that is open to the network without a key.</summary>
public static class Listening
{
    /// <summary>
    /// The first port also follows <c>ASPNETCORE_URLS</c>, which Aspire and the supervisor set.
    /// </summary>
    /// <exception cref="SettingException">A port is not a port, or no key is set and the address is not
    /// loopback.</exception>
    public static ListenAddresses Listen(
        this WebApplicationBuilder builder,
        NodeOptions node,
        params ListenPort[] ports
    )
    {
        var bind = BindAddress(node);
        var numbers = ports
            .Select(port => NodeOptionsReader.Port(builder.Configuration, port.Variable, port.Default))
            .ToList();
        var urls = builder.Configuration["urls"]?.Split(';', StringSplitOptions.RemoveEmptyEntries);
        if (urls is [var first, ..])
        {
            var url = BindingAddress.Parse(first);
            numbers[0] = url.Port;
            if (node.Bind is null)
                bind = ToAddress(url.Host);
        }
        // What Aspire tells a container. Base images set ASPNETCORE_HTTP_PORTS to a port of their own choice, which
        // means nothing here.
        else if (
            Environment.GetEnvironmentVariable("HTTP_PORTS")?.Split(';') is [var told, ..]
            && ushort.TryParse(told, out var number)
        )
            numbers[0] = number;
        if (node.ApiKey is null && !IPAddress.IsLoopback(bind))
            throw new SettingException(
                "GALAXY_API_KEY",
                null,
                $"a key, because the service would listen on {bind}; without a key only loopback "
                    + "(GALAXY_BIND=127.0.0.1) is allowed"
            );

        var everywhere = IPAddress.Any.Equals(bind) || IPAddress.IPv6Any.Equals(bind);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // As requests are read: what a service answers can be passed on.
            kestrel.ResponseHeaderEncodingSelector = _ => System.Text.Encoding.UTF8;
            // The ports are bound from the last to the first: a client that is answered on the first port knows that
            // all others are open, too.
            for (var i = ports.Length - 1; i >= 0; i--)
            {
                var port = ports[i];
                void Set(ListenOptions listen)
                {
                    listen.Protocols = port.Protocols;
                    port.Configure?.Invoke(listen);
                }
                // Every address is both families where the machine has both, and so is loopback: browsers try ::1 first
                // for localhost. Kestrel goes on with one of them on a machine without the other, and fails when the
                // port of either is taken.
                if (everywhere)
                    kestrel.ListenAnyIP(numbers[i], Set);
                else if (IsLocalhost(bind) && numbers[i] != 0)
                    kestrel.ListenLocalhost(numbers[i], Set);
                else
                    kestrel.Listen(bind, numbers[i], Set);
            }
        });
        var host = node.Advertise ?? (everywhere ? OwnAddresses.Choose() : bind).ToString();
        var addresses = new ListenAddresses(host, numbers, follows: everywhere && node.Advertise is null);
        builder.Services.AddSingleton(addresses);
        return addresses;
    }

    // Another address of 127.0.0.0/8 is meant as it is: several nodes may share a machine that way.
    private static bool IsLocalhost(IPAddress address) =>
        IPAddress.Loopback.Equals(address) || IPAddress.IPv6Loopback.Equals(address);

    private static IPAddress BindAddress(NodeOptions node)
    {
        if (node.Bind is null)
            return node.ApiKey is null ? IPAddress.Loopback : IPAddress.Any;
        return ToAddress(node.Bind);
    }

    private static IPAddress ToAddress(string host) =>
        host switch
        {
            "localhost" => IPAddress.Loopback,
            "*" or "+" or "0.0.0.0" => IPAddress.Any,
            _ => IPAddress.TryParse(host.Trim('[', ']'), out var address)
                ? address
                : throw new SettingException("GALAXY_BIND", host, "an IP address, localhost or *"),
        };
}
