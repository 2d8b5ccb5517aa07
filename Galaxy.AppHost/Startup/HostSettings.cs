using System.Globalization;
using Galaxy.AppHost.Resources;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Galaxy.AppHost.Startup;

/// <summary>
/// How Aspire itself is set up: the ports of its dashboard, its logging, and no certificate, since everything is on
/// loopback.
/// </summary>
internal static class HostSettings
{
    private const string StorePath = "Aspire:Store:Path";
    private const int DefaultDashboardPort = 18888;

    public static DistributedApplicationOptions Options(SystemOptions options) =>
        new()
        {
            Args =
            [
                .. options.HostArguments,
                .. HasEnvironment(options) ? Array.Empty<string>() : ["--environment", "Development"],
            ],
            AllowUnsecuredTransport = true,
            TrustDeveloperCertificate = false,
            DeveloperCertificateDefaultHttpsTerminationEnabled = false,
        };

    public static void Apply(IDistributedApplicationBuilder builder, SystemOptions options)
    {
        builder.Services.AddLogging(logging =>
            logging
                .AddFilter("Aspire.Hosting", LogLevel.Warning)
                .AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning)
                .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
                .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
                // It calls a start that is interrupted by Ctrl-C a failure; real failures are thrown as well.
                .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
                .AddSimpleConsole(console => console.SingleLine = true)
        );
        if (builder.ExecutionContext.IsPublishMode)
            return;
        var ports = LocalPorts
            .Allocate(
                new[] { "resource service", "telemetry" }.Select(endpoint => new PortRequest(
                    "dashboard",
                    endpoint,
                    null,
                    null
                ))
            )
            .ToDictionary(port => port.Key.Endpoint, port => port.Value);
        if (PortPlan.DashboardPort(options) is not null)
            builder.Configuration["ASPNETCORE_URLS"] = null;
        SetDefault(builder, "ASPNETCORE_URLS", DashboardPortOf(options));
        SetDefault(builder, "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", ports["telemetry"]);
        SetDefault(builder, "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", ports["resource service"]);
    }

    /// <summary>What Aspire keeps goes to the data folder, not to <c>obj</c>: the sources may be read-only.</summary>
    public static void KeepFilesIn(IDistributedApplicationBuilder builder, string data) =>
        builder.Configuration[StorePath] = data;

    private static bool HasEnvironment(SystemOptions options) =>
        options.HostArguments.Contains("--environment")
        || Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") is { Length: > 0 };

    // A tool that starts the AppHost may have chosen an address. One that the network can reach comes from elsewhere,
    // for instance from a shell that serves something else: the dashboard is for this machine.
    private static void SetDefault(IDistributedApplicationBuilder builder, string name, int port)
    {
        if (
            !Uri.TryCreate(builder.Configuration[name]?.Split(';')[0], UriKind.Absolute, out var given)
            || !given.IsLoopback
        )
            builder.Configuration[name] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
    }

    private static int DashboardPortOf(SystemOptions options)
    {
        if (PortPlan.DashboardPort(options) is { } asked)
            return Allocate(asked is 0 ? null : asked);
        if (options.AnyPorts)
            return Allocate(null);
        try
        {
            return Allocate(DefaultDashboardPort);
        }
        catch (PortTakenException)
        {
            // The default port is taken and no port was configured: use a free one; the printed link shows it.
            return Allocate(null);
        }
    }

    private static int Allocate(int? port)
    {
        var request = new PortRequest("dashboard", "web interface", port, PortPlan.DashboardVariable);
        return LocalPorts.Allocate([request])[request];
    }
}
