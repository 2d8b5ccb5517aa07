using System.Diagnostics;
using System.Text;

namespace Galaxy.Cli.Worker.Actions;

/// <summary>Runs a program to its end, or kills it with all that it started.</summary>
internal static class Programs
{
    private const int MaxOutputChars = 256 * 1024;

    /// <param name="onLine">Each line of its output, as it comes.</param>
    /// <exception cref="InvalidOperationException">It could not be started.</exception>
    public static async Task<(int Code, string Output, string Error)> RunAsync(
        string program,
        IEnumerable<string> arguments,
        string? folder,
        string? input,
        Action<string>? onLine,
        CancellationToken cancellation
    )
    {
        var info = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var argument in arguments)
            info.ArgumentList.Add(argument);
        // The program must not see the worker's secrets.
        info.Environment.Remove("GALAXY_API_KEY");
        using var process = Start(info);
        var (output, error) = (new StringBuilder(), new StringBuilder());
        try
        {
            var reading = Task.WhenAll(
                ReadAsync(process.StandardOutput, output, onLine, cancellation),
                ReadAsync(process.StandardError, error, null, cancellation)
            );
            try
            {
                if (input is not null)
                    await process.StandardInput.WriteAsync(input.AsMemory(), cancellation);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // The program does not read its standard input.
            }
            await reading;
            await process.WaitForExitAsync(cancellation);
            return (process.ExitCode, output.ToString(), error.ToString());
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static Process Start(ProcessStartInfo info)
    {
        try
        {
            return Process.Start(info)!;
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or FileNotFoundException)
        {
            throw new InvalidOperationException($"'{info.FileName}' could not be started: {failure.Message}");
        }
    }

    private static async Task ReadAsync(
        StreamReader reader,
        StringBuilder kept,
        Action<string>? onLine,
        CancellationToken cancellation
    )
    {
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            onLine?.Invoke(line);
            if (kept.Length < MaxOutputChars)
                kept.AppendLine(line.Length > MaxOutputChars ? line[..MaxOutputChars] : line);
        }
    }
}
