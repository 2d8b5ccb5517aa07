using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>A problem that a person can mend; its message is one sentence that names the cure.</summary>
public sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The entry point that all services share.</summary>
public static class GalaxyApp
{
    /// <summary>
    /// Builds and runs a service. What a person can mend is said in one line on standard error with exit code 2 (settings)
    /// or 3 (ports, stores); everything else keeps its stack trace and exit code 1.
    /// </summary>
    public static Task<int> RunAsync(Func<WebApplication> build) => RunAsync(() => Task.FromResult(build()));

    /// <inheritdoc cref="RunAsync(Func{WebApplication})"/>
    public static async Task<int> RunAsync(Func<Task<WebApplication>> build)
    {
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

    private static (string Message, int Code)? Explain(Exception failure) => failure switch
    {
        SettingException setting => (setting.Message, 2),
        OptionsValidationException options => (string.Join(' ', options.Failures), 2),
        StartupException startup => (startup.Message, 3),
        IOException { InnerException: AddressInUseException } taken => ($"{taken.Message} Stop the program that uses it or choose another port.", 3),
        AggregateException { InnerException: { } inner } => Explain(inner),
        _ => null,
    };
}
