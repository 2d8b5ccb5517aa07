using System.Text.RegularExpressions;
using Galaxy.Architecture.Tests.Deploy;

namespace Galaxy.Architecture.Tests;

/// <summary>
/// Clients are made in <c>Galaxy.ServiceDefaults/Http</c>, which decides about proxies. The compiler refuses them elsewhere
/// (<c>BannedSymbols.Http.txt</c>); these tests see to it that nobody opens a way around that.
/// </summary>
public partial class HttpClientTests
{
    private const string Place = "Galaxy.ServiceDefaults/Http/";

    // It depends on no other project, and so has a handler of its own.
    private const string Independent = "Galaxy.LocalHosting/";

    private static IEnumerable<(string Path, string Text)> Sources() =>
        from folder in Directory.EnumerateDirectories(Repository.Root, "Galaxy.*")
        from file in Directory.EnumerateFiles(folder, "*.*", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')
        where Path.GetExtension(path) is ".cs" or ".razor" or ".csproj" && !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
        select (path, File.ReadAllText(file));

    [GeneratedRegex(@"new (HttpClient\(\)|HttpClient \{|HttpClientHandler|SocketsHttpHandler|ClientWebSocket)|HttpClient \w+ = new\((\)|new)|GrpcChannel\.ForAddress")]
    private static partial Regex Made();

    [Fact]
    public void Clients_are_made_in_one_place_that_decides_about_proxies()
    {
        var elsewhere = Sources().Where(source => !source.Path.StartsWith(Place, StringComparison.Ordinal) && !source.Path.StartsWith(Independent, StringComparison.Ordinal))
            .Where(source => Made().IsMatch(source.Text)).Select(source => source.Path);

        Assert.Empty(elsewhere);
    }

    [Fact]
    public void The_compiler_s_ban_is_lifted_nowhere_else()
    {
        var lifted = Sources().Where(source => !source.Path.StartsWith(Place, StringComparison.Ordinal) && source.Text.Contains("RS0030", StringComparison.Ordinal)).Select(source => source.Path);

        // Core names it among its errors.
        Assert.Equal(["Galaxy.Core/Galaxy.Core.csproj"], lifted);
    }
}
