using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Galaxy.EndToEnd.Tests.Console;

/// <summary>axe-core (npm): what stands in the way of people who cannot see well, or use no mouse.</summary>
internal static class Axe
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Console", "Client");
    private static readonly Lazy<Task<string>> Script = new(InstallAsync);

    /// <summary>Installs what the tests' own scripts need, once.</summary>
    public static async Task<string> FolderAsync()
    {
        await Script.Value;
        return Folder;
    }

    private static async Task<string> InstallAsync()
    {
        using var install = Process.Start(
            new ProcessStartInfo("npm", ["install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"])
            {
                WorkingDirectory = Folder,
                RedirectStandardError = true,
            }
        ) ?? throw new InvalidOperationException("npm");
        await install.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(4));
        Assert.True(install.ExitCode == 0, "npm install: " + await install.StandardError.ReadToEndAsync());
        return await File.ReadAllTextAsync(Path.Combine(Folder, "node_modules", "axe-core", "axe.min.js"));
    }

    /// <summary>Serious and critical findings of WCAG 2.2 A and AA, with the places.</summary>
    public static async Task<IReadOnlyList<string>> FindingsAsync(IPage page)
    {
        await page.EvaluateAsync(await Script.Value);
        var found = await page.EvaluateAsync<string>(
            """
            async () => {
              const result = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
              return JSON.stringify(result.violations.filter(one => ['serious', 'critical'].includes(one.impact)).flatMap(one => one.nodes.map(node => `${one.id} (${one.impact}): ${node.target.join(' ')} — ${(node.failureSummary ?? '').replace(/\s+/g, ' ').slice(0, 260)}`)));
            }
            """
        );
        return [.. JsonNode.Parse(found)!.AsArray().Select(one => (string)one!)];
    }
}
