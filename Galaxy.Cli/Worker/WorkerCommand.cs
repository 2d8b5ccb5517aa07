using System.CommandLine;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.Cli.Worker;

/// <summary><c>galaxy worker</c>: this machine as a device of the cluster.</summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        var master = new Option<string>("--master") { Description = "ws://host:8765 (default: MASTER_URL, or found by discovery)" };
        var id = new Option<string>("--id") { Description = "This device's id (default: Galaxy_NODE_ID, or the host name)" };
        var capabilities = new Option<string[]>("--capability") { Description = "Offer only these actions (default: all that are built in)", AllowMultipleArgumentsPerToken = true };
        var concurrency = new Option<int>("--concurrency") { Description = "Tasks at once", DefaultValueFactory = _ => Math.Max(2, Environment.ProcessorCount) };
        var command = new Command("worker", "Join the cluster as a worker and run tasks until stopped") { master, id, capabilities, concurrency };
        command.SetAction(async (parsed, cancellation) =>
        {
            var context = CliContext.Create(parsed);
            var actions = WorkerActions.Select(parsed.GetValue(capabilities) ?? []);
            var slots = parsed.GetValue(concurrency) is >= 1 and <= 1000 and var given ? given : throw new CliException("--concurrency must be 1 to 1000.");
            var address = MasterAddress(parsed.GetValue(master), context);

            var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            foreach (var pair in context.Configuration.AsEnumerable().Where(pair => pair.Value is not null))
                builder.Configuration[pair.Key] = pair.Value;
            var cluster = builder.AddGalaxyConfigurationSource();
            builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
            builder.Logging.AddLines();
            builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
            builder.AddTelemetry(context.Node, "worker");
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddHostedService(services => new WorkerService(
                parsed.GetValue(id) ?? context.Node.NodeId, address, context.Node, actions, slots, cluster,
                services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<WorkerService>>()));
            builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
            using var host = builder.Build();
            await host.StartAsync(cancellation);
            await host.WaitForShutdownAsync(CancellationToken.None);
            return 0;
        });
        return command;
    }

    private static Uri? MasterAddress(string? option, CliContext context)
    {
        if (option is null)
            return context.Node.MasterUrl;
        return Uri.TryCreate(option, UriKind.Absolute, out var url) && url.Scheme is "ws" or "wss"
            ? url
            : throw new CliException($"--master is '{option}', which is not an address such as ws://host:8765.");
    }
}
