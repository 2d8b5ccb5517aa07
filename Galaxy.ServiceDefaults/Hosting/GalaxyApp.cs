using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>A problem that the user can fix; its message is one sentence that names the cure.</summary>
public sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The entry point that all services share.</summary>
public static class GalaxyApp
{
    /// <summary>
    /// Builds and runs a service. A problem that the user can fix is reported in one line on standard error with exit
    /// code 2 (settings) or 3 (ports, stores); everything else keeps its stack trace and exit code 1.
    /// </summary>
    /// <param name="args">Of the program. <c>--probe</c> asks the one that runs whether it is alive, for images without
    /// a shell: exit code 0 or 1.</param>
    /// <param name="port">Where the program answers <c>/alive</c>.</param>
    public static Task<int> RunAsync(string[] args, ListenPort port, Func<WebApplication> build) =>
        RunAsync(args, port, () => Task.FromResult(build()));

    /// <inheritdoc cref="RunAsync(string[], ListenPort, Func{WebApplication})"/>
    public static async Task<int> RunAsync(string[] args, ListenPort port, Func<Task<WebApplication>> build)
    {
        if (args is ["--probe"])
            return await ProbeAsync(port);
        ParentProcess.Follow();
        try
        {
            var app = await build();
            await app.RunAsync();
            return Environment.ExitCode;
        }
        catch (Exception failure) when (Explain(failure) is { } explained)
        {
            await Console.Error.WriteLineAsync($"error: {explained.Message}");
            return explained.Code;
        }
        catch (OperationCanceledException)
        {
            // Stopped while it was still starting.
            return Environment.ExitCode;
        }
    }

    private static async Task<int> ProbeAsync(ListenPort port)
    {
        var configuration = new ConfigurationManager();
        configuration.AddEnvironmentVariables();
        configuration.AddNodeFiles(Directory.GetCurrentDirectory());
        try
        {
            var host = configuration["GALAXY_BIND"]
                is { Length: > 0 } bound
                    and not ("*" or "+" or "0.0.0.0" or "::" or "[::]")
                ? bound
                : "127.0.0.1";
            if (host.Contains(':', StringComparison.Ordinal))
                host = $"[{host.Trim('[', ']')}]";
            using var http = InternalHttp.CreateClient(TimeSpan.FromSeconds(3));
            using var answer = await http.GetAsync(
                new Uri($"http://{host}:{NodeOptionsReader.Port(configuration, port.Variable, port.Default)}/alive")
            );
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception silent) when (silent is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync("error: " + silent.Message);
            return 1;
        }
    }

    private static (string Message, int Code)? Explain(Exception failure) =>
        failure switch
        {
            SettingException setting => (setting.Message, 2),
            OptionsValidationException options => (string.Join(' ', options.Failures), 2),
            StartupException startup => (startup.Message, 3),
            IOException { InnerException: AddressInUseException } taken => (
                $"{taken.Message} Stop the program that uses it or choose another port.",
                3
            ),
            AggregateException { InnerException: { } inner } => Explain(inner),
            _ => null,
        };
}
