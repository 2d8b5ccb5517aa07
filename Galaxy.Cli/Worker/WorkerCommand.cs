using System.CommandLine;
using Galaxy.Cli.Worker.Actions;
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
        var master = new Option<string>("--master")
        {
            Description =
                "ws://host:8765, or several separated by commas, of which one that answers is taken "
                + "(default: MASTER_URL, or found by discovery)",
        };
        var id = new Option<string>("--id")
        {
            Description = "This device's id (default: Galaxy_NODE_ID, or the host name)",
        };
        var capabilities = new Option<string[]>("--capability")
        {
            Description =
                "Offer only these actions (default: all that are allowed here), or a program of yours: "
                + "exec:name=program",
            AllowMultipleArgumentsPerToken = true,
        };
        var labels = new Option<string[]>("--label")
        {
            Description = "Tags of this device, for instance room=attic",
            AllowMultipleArgumentsPerToken = true,
        };
        var location = new Option<string>("--location")
        {
            Description = "Where this device is, for instance home/attic",
        };
        var shell = new Option<bool>("--allow-shell")
        {
            Description = "Offer shell.run: tasks may start programs here",
        };
        var programs = new Option<string[]>("--shell-allow")
        {
            Description = "Only these programs (default: any)",
            AllowMultipleArgumentsPerToken = true,
        };
        var folder = new Option<string>("--shell-folder")
        {
            Description = "Where shell.run starts them (default: here)",
        };
        var files = new Option<string>("--files") { Description = "Offer file.read and file.write within this folder" };
        var models = new Option<string>("--models")
        {
            Description = "Offer llm.chat by this OpenAI-compatible address, for instance http://localhost:11434/v1",
        };
        var concurrency = new Option<int>("--concurrency")
        {
            Description = "Tasks at once",
            DefaultValueFactory = _ => Math.Max(2, Environment.ProcessorCount),
        };
        var join = new Option<string>("--join")
        {
            Description =
                "A join token (galaxy token create): changed once for a key of this device's own, which is kept",
        };
        var command = new Command("worker", "Join the cluster as a worker and run tasks until stopped")
        {
            master,
            id,
            join,
            capabilities,
            labels,
            location,
            concurrency,
            shell,
            programs,
            folder,
            files,
            models,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                var device = parsed.GetValue(id) ?? context.Node.NodeId;
                var membership = parsed.GetValue(join) is { } token
                    ? await Joining.JoinAsync(
                        token,
                        device,
                        context.Url,
                        MasterAddresses(parsed.GetValue(master), context) is [var first, ..] ? first : null,
                        cancellation
                    )
                    : Joining.Read(device);
                // A key that was given for this start takes precedence over a stored one.
                if (membership is not null && (parsed.GetValue(join) is not null || !CliContext.HasKey(parsed)))
                    context = CliContext.Create(parsed, key: membership.Secret);
                var allowed = new List<WorkerAction>(BasicActions.All);
                if (parsed.GetValue(shell))
                    allowed.Add(
                        new ShellAction(
                            parsed.GetValue(programs) ?? [],
                            Folder(parsed.GetValue(folder) ?? ".", "--shell-folder")
                        ).Action
                    );
                else if (parsed.GetValue(programs) is { Length: > 0 })
                    throw new CliException("--shell-allow needs --allow-shell.");
                if (parsed.GetValue(files) is { } root)
                    allowed.AddRange(new FileActions(Folder(root, "--files")).All);
                if (parsed.GetValue(models) is { } modelAddress)
                    allowed.Add(new ChatAction(HttpAddress(modelAddress), context.Node.ApiKey).Action);
                var actions = ActionSet.Select(parsed.GetValue(capabilities) ?? [], allowed);
                var profile = new WorkerProfile(parsed.GetValue(labels) ?? [], parsed.GetValue(location) ?? "");
                var slots = parsed.GetValue(concurrency) is >= 1 and <= 1000 and var given
                    ? given
                    : throw new CliException("--concurrency must be 1 to 1000.");
                var addresses = MasterAddresses(parsed.GetValue(master), context);
                if (addresses.Count == 0 && membership is not null && context.Node.ApiKey == membership.Secret)
                    addresses = [membership.Master];

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
                    device,
                    addresses,
                    context.Node,
                    actions,
                    profile,
                    slots,
                    cluster,
                    services.GetRequiredService<TimeProvider>(),
                    services.GetRequiredService<ILogger<WorkerService>>()
                ));
                builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
                using var host = builder.Build();
                await host.StartAsync(cancellation);
                // Ctrl-C and SIGTERM cancel the command; the worker then drains.
                using var told = cancellation.Register(
                    host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication
                );
                await host.WaitForShutdownAsync(CancellationToken.None);
                return 0;
            }
        );
        return command;
    }

    private static string Folder(string path, string option) =>
        Directory.Exists(path)
            ? Path.GetFullPath(path)
            : throw new CliException($"{option} is '{path}', which is no folder.");

    private static Uri HttpAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new CliException(
                $"--models is '{text}', which is not an address such as http://localhost:11434/v1."
            );

    private static IReadOnlyList<Uri> MasterAddresses(string? option, CliContext context) =>
        option is null
            ? context.Node.MasterUrls
            :
            [
                .. option
                    .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                    .Select(text =>
                        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "ws" or "wss"
                            ? url
                            : throw new CliException(
                                $"--master is '{text}', which is not an address such as ws://host:8765."
                            )
                    ),
            ];
}
