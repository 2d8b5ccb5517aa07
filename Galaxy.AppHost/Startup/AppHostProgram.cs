using Galaxy.AppHost.Control;
using Galaxy.AppHost.Resources;
using Galaxy.AppHost.Restarts;
using Galaxy.LocalHosting.Control;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Galaxy.AppHost.Startup;

/// <summary>What happens around the model: options, checks before the start, the host, and its exit code.</summary>
internal static class AppHostProgram
{
    /// <summary>Describes, builds and runs the system until it is stopped.</summary>
    /// <returns>0; 2 for an option that is not allowed; 3 for something that this machine lacks, for instance a free
    /// port.</returns>
    public static async Task<int> RunAsync(string[] args, Action<GalaxyBuilder> describe)
    {
        try
        {
            var options = SystemOptionsParser.Parse(args);
            if (options.Help)
            {
                Console.Out.WriteLine(SystemOptionsParser.HelpText);
                return 0;
            }
            // The AppHost must not change the environment of another program, such as a test.
            if (ProcessEnd.IsOwnProgram)
                LoopbackProxyRule.Apply();
            using var claim = new Claim();
            CheckSettings(options);
            using var app = Build(options, describe, claim);
            // Before the host is started: Aspire's own part of the start takes a while, and can be interrupted, too.
            using var end = ProcessEnd.Guard(app.Services.GetRequiredService<IHostApplicationLifetime>());
            if (app.Services.GetRequiredService<DistributedApplicationExecutionContext>().IsRunMode)
                await Preflight.CheckAsync(
                    options,
                    app.Services.GetRequiredService<IConfiguration>(),
                    CancellationToken.None
                );
            await app.RunAsync();
            return Environment.ExitCode;
        }
        catch (OperationCanceledException)
        {
            // Stopped while it was still starting.
            return Environment.ExitCode;
        }
        catch (SystemOptionException wrong)
        {
            return Fail(wrong.Message, SystemOptionException.ExitCode);
        }
        catch (SettingException wrong)
        {
            return Fail(wrong.Message, SystemOptionException.ExitCode);
        }
        catch (PortTakenException taken)
        {
            return Fail(taken.Message, PortTakenException.ExitCode);
        }
        catch (AlreadyRunsException running)
        {
            return Fail(running.Message, AlreadyRunsException.ExitCode);
        }
        catch (PreflightException missing)
        {
            return Fail(missing.Message, PreflightException.ExitCode);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return Fail(
                $"{refused.Message.TrimEnd('.')}. Free space, correct the rights, or name another data "
                    + "folder with --GALAXY_DATA <folder>.",
                PreflightException.ExitCode
            );
        }
    }

    // As every service would read them.
    private static void CheckSettings(SystemOptions options) =>
        NodeOptionsReader.Read(
            new ConfigurationBuilder()
                .AddEnvironmentVariables()
                .AddInMemoryCollection(
                    options.Settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))
                )
                .Build()
        );

    // The lock of the data folder outlives the application, whose processes use the folder.
    private sealed class Claim : IDisposable
    {
        public DataFolderLock? Lock { get; set; }

        public void Dispose() => Lock?.Dispose();
    }

    private static DistributedApplication Build(SystemOptions options, Action<GalaxyBuilder> describe, Claim claim)
    {
        var builder = DistributedApplication.CreateBuilder(HostSettings.Options(options));
        HostSettings.Apply(builder, options);
        // A checkout may have been moved or copied since it was built: the folder of the program counts, not that of
        // the build.
        var repository = Repository.FindAbove(AppContext.BaseDirectory)
            ?? Path.GetFullPath(Path.Combine(builder.AppHostDirectory, ".."));
        var data = DataFolder.Find(options.Setting(ServiceEnvironment.Data), repository);
        var key = "";
        if (builder.ExecutionContext.IsRunMode)
        {
            DataFolder.Prepare(data);
            claim.Lock = DataFolderLock.Acquire(data);
            key = options.Setting(ServiceEnvironment.ApiKey) ?? DataFolder.ReadOrCreateKey(data);
            HostSettings.KeepFilesIn(builder, data);
            HomeFolder.Ensure(data);
        }
        var galaxy = new GalaxyBuilder(builder, options, data, key, BuiltPrograms.Find(repository));
        describe(galaxy);
        if (builder.ExecutionContext.IsRunMode)
            AddRunServices(builder, galaxy, data);
        return builder.Build();
    }

    private static void AddRunServices(IDistributedApplicationBuilder builder, GalaxyBuilder galaxy, string data)
    {
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(7));
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddHostedService<OrchestratorWatch>();
        builder
            .Services.AddSingleton<RestartPolicy>()
            .AddHostedService(services => services.GetRequiredService<RestartPolicy>());
        builder
            .Services.AddSingleton<AspireProcesses>()
            .AddHostedService(services => services.GetRequiredService<AspireProcesses>());
        builder.Services.AddHostedService(services => new ControlServer(
            services.GetRequiredService<AspireProcesses>(),
            data
        ));
        builder.Services.AddSingleton(galaxy).AddHostedService<StartReport>();
    }

    private static int Fail(string message, int exitCode)
    {
        Console.Error.WriteLine("error: " + message);
        return exitCode;
    }

    private sealed class ControlServer(AspireProcesses processes, string data) : IHostedService
    {
        private ControlApi? _api;

        public async Task StartAsync(CancellationToken cancellationToken) =>
            _api = await ControlApi.StartAsync(processes, data, cancellationToken);

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            if (_api is not null)
                await _api.DisposeAsync();
        }
    }
}
