using Galaxy.LocalHosting.Running;
using Galaxy.LocalHosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace Galaxy.LocalHosting;

/// <summary>A described application, ready to run on this machine.</summary>
public sealed class DistributedApplication : IAsyncDisposable
{
    private readonly Runner _runner;

    internal DistributedApplication(Runner runner) => _runner = runner;

    internal Runner Runner => _runner;

    /// <param name="args"><c>--name value</c> or <c>--name=value</c>; <c>--quiet</c> and <c>--no-workers</c> need no value.</param>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new Builder(args);

    /// <summary>Runs until Ctrl-C, SIGTERM or a failed start. Sets the process's exit code.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <inheritdoc cref="Run"/>
    public async Task RunAsync(CancellationToken cancellationToken = default) =>
        Environment.ExitCode = await _runner.RunAsync(cancellationToken);

    public ValueTask DisposeAsync() => _runner.DisposeAsync();

    private sealed class Builder : IDistributedApplicationBuilder
    {
        private readonly List<IResource> _resources = [];

        public Builder(string[] args)
        {
            Configuration.AddEnvironmentVariables();
            Configuration.AddCommandLine([.. args.Select(arg => arg is "--quiet" or "--no-workers" ? arg + "=true" : arg)]);
            Environment = new LocalEnvironment { ContentRootPath = AppHostMetadata.Read("apphostprojectpath") ?? Directory.GetCurrentDirectory() };
        }

        public ConfigurationManager Configuration { get; } = new();

        public IHostEnvironment Environment { get; }

        public DistributedApplicationExecutionContext ExecutionContext { get; } = new();

        public IReadOnlyList<IResource> Resources => _resources;

        public IResourceBuilder<T> AddResource<T>(T resource)
            where T : IResource
        {
            if (_resources.Exists(other => other.Name == resource.Name))
                throw new InvalidOperationException($"There are two resources called '{resource.Name}'.");
            _resources.Add(resource);
            return new ResourceBuilder<T>(this, resource);
        }

        public DistributedApplication Build()
        {
            var application = new DistributedApplication(new Runner(_resources, Configuration, DataFolder.Of(this), Environment.EnvironmentName));
            GalaxyTestHost.Current?.Attach(application);
            return application;
        }
    }

    private sealed class LocalEnvironment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Development;
        public string ApplicationName { get; set; } = "Galaxy.AppHost";
        public string ContentRootPath { get; set; } = Directory.GetCurrentDirectory();
        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
