using Microsoft.AspNetCore.Http;
using System.Net;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>A port that a service listens on.</summary>
/// <param name="Variable">The setting that changes it.</param>
/// <param name="Default">The port when the setting is absent.</param>
public sealed record ListenPort(string Variable, int Default, HttpProtocols Protocols = HttpProtocols.Http1);

/// <summary>Where this process listens and under which address others reach it.</summary>
/// <param name="Ports">In the order of the <see cref="ListenPort"/>s asked for.</param>
public sealed record ListenAddresses(string Host, IReadOnlyList<int> Ports)
{
    public string Url(int index) => $"http://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Ports[index]}";
}

/// <summary>Decides addresses and refuses an open door without a key.</summary>
public static class Listening
{
    /// <summary>
    /// The first port also follows <c>ASPNETCORE_URLS</c>, which Aspire and the local runner set.
    /// </summary>
    /// <exception cref="SettingException">A port is not a port, or no key is set and the address is not loopback.</exception>
    public static ListenAddresses Listen(this WebApplicationBuilder builder, NodeOptions node, params ListenPort[] ports)
    {
        var bind = BindAddress(node);
        var numbers = ports.Select(port => NodeOptionsReader.Port(builder.Configuration, port.Variable, port.Default)).ToList();
        var urls = builder.Configuration["urls"]?.Split(';', StringSplitOptions.RemoveEmptyEntries);
        if (urls is [var first, ..])
        {
            var url = BindingAddress.Parse(first);
            numbers[0] = url.Port;
            if (node.Bind is null)
                bind = ToAddress(url.Host);
        }
        if (node.ApiKey is null && !IPAddress.IsLoopback(bind))
            throw new SettingException("GALAXY_API_KEY", null, $"a key, because the service would listen on {bind}; without a key only loopback (GALAXY_BIND=127.0.0.1) is allowed");

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // In this order they are bound: whoever is answered on the first port knows that all others are open, too.
            for (var i = ports.Length - 1; i >= 0; i--)
            {
                var protocols = ports[i].Protocols;
                kestrel.Listen(bind, numbers[i], listen => listen.Protocols = protocols);
            }
        });
        var host = node.Advertise ?? (IPAddress.Any.Equals(bind) || IPAddress.IPv6Any.Equals(bind) ? Dns.GetHostName() : bind.ToString());
        return new ListenAddresses(host, numbers);
    }

    private static IPAddress BindAddress(NodeOptions node)
    {
        if (node.Bind is null)
            return node.ApiKey is null ? IPAddress.Loopback : IPAddress.Any;
        return ToAddress(node.Bind);
    }

    private static IPAddress ToAddress(string host) => host switch
    {
        "localhost" => IPAddress.Loopback,
        "*" or "+" or "0.0.0.0" => IPAddress.Any,
        _ => IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address : throw new SettingException("GALAXY_BIND", host, "an IP address, localhost or *"),
    };
}
