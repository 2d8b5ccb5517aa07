using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Reflection;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.AppHost.Startup;

/// <summary>This machine lacks something; the message is one or two sentences that name the cure.</summary>
internal sealed class PreflightException(string message) : Exception(message)
{
    public const int ExitCode = 3;
}

/// <summary>Looks for what Aspire and the chosen store need, before anything is started.</summary>
internal static class Preflight
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <exception cref="PreflightException">It is not there.</exception>
    public static async Task CheckAsync(
        SystemOptions options,
        IConfiguration configuration,
        CancellationToken cancellationToken
    )
    {
        CheckOrchestrator(configuration);
        switch (options.Store)
        {
            case { Kind: StoreKind.Address, Address: { } address }:
                await CheckAddressAsync(address, cancellationToken);
                break;
            case { Kind: StoreKind.Server } when !await RunsAsync("redis-server", "--version", cancellationToken):
                throw new PreflightException(
                    "--redis server needs redis-server on PATH. Install it (Debian: apt install "
                        + "redis-server), or leave --redis out for the embedded store."
                );
            case { Kind: StoreKind.Container }
                when !await RunsAsync("docker", "info", cancellationToken)
                    && !await RunsAsync("podman", "info", cancellationToken):
                throw new PreflightException(
                    "--redis container needs Docker or Podman, and neither answers. Start one of them, or "
                        + "leave --redis out for the embedded store."
                );
        }
    }

    // The build notes where the packages of the user who built are. Another user may not read them, and the package
    // manager lets only its own user run what it unpacks.
    private static void CheckOrchestrator(IConfiguration configuration)
    {
        if (
            configuration["DcpPublisher:CliPath"] is { Length: > 0 }
            || configuration["ASPIRE_DCP_PATH"] is { Length: > 0 }
        )
            return;
        var programs = typeof(Preflight)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Where(metadata => metadata.Key is "dcpclipath" or "aspiredashboardpath")
            .Select(metadata => metadata.Value);
        if (
            programs.FirstOrDefault(program => program is { Length: > 0 } && !ProgramAccess.CanRun(program)) is
            { } refused
        )
        {
            throw new PreflightException(
                $"Aspire's {Path.GetFileName(refused)} ({refused}) is missing, or the user "
                    + $"{Environment.UserName} may not run it. Build as this "
                    + "user (dotnet build Galaxy.AppHost), or let whoever built share the packages: "
                    + "NUGET_PACKAGES=<folder> dotnet build Galaxy.AppHost && chmod -R a+rX <folder>."
            );
        }
    }

    private static async Task CheckAddressAsync(string address, CancellationToken cancellationToken)
    {
        var endpoint = address.Split(',')[0];
        var colon = endpoint.LastIndexOf(':');
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(
                endpoint[..colon].Trim('[', ']'),
                int.Parse(endpoint[(colon + 1)..], System.Globalization.CultureInfo.InvariantCulture),
                deadline.Token
            );
        }
        catch (Exception silent) when (silent is SocketException or OperationCanceledException)
        {
            throw new PreflightException(
                $"The store at {endpoint} does not answer. Start it, correct --redis, or leave --redis out "
                    + "for the embedded store."
            );
        }
    }

    private static async Task<bool> RunsAsync(string program, string argument, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, argument) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var error = process.StandardError.ReadToEndAsync(deadline.Token);
            await Task.WhenAll(output, error);
            await process.WaitForExitAsync(deadline.Token);
            return process.ExitCode == 0;
        }
        catch (Exception missing) when (missing is Win32Exception or OperationCanceledException)
        {
            return false;
        }
    }
}
