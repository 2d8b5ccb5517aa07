using System.Text.RegularExpressions;
using Galaxy.Architecture.Tests.Deploy;

namespace Galaxy.Architecture.Tests;

/// <summary>
/// Clients are made in <c>Galaxy.ServiceDefaults/Http</c>, which decides about proxies. The compiler refuses them
/// elsewhere (<c>BannedSymbols.Http.txt</c>); these tests find code that goes around the ban.
/// </summary>
public partial class HttpClientTests
{
    private const string Place = "Galaxy.ServiceDefaults/Http/";

    // It depends on no other project, and so has a handler of its own.
    // They depend on no service code; each of their clients says UseProxy = false, which the last test looks for.
    private static readonly string[] Independent = ["Galaxy.LocalHosting/", "Galaxy.AppHost/"];

    private static IEnumerable<(string Path, string Text)> Sources() =>
        from folder in Directory.EnumerateDirectories(Repository.Root, "Galaxy.*")
        from file in Directory.EnumerateFiles(folder, "*.*", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')
        where
            Path.GetExtension(path) is ".cs" or ".razor" or ".csproj"
            && !path.Contains("/obj/", StringComparison.Ordinal)
            && !path.Contains("/bin/", StringComparison.Ordinal)
        select (path, File.ReadAllText(file));

    [GeneratedRegex(
        @"new (HttpClient\(\)|HttpClient \{|HttpClientHandler|SocketsHttpHandler|ClientWebSocket)|HttpClient \w+ = new\((\)|new)|GrpcChannel\.ForAddress"
    )]
    private static partial Regex Made();

    [Fact]
    public void Clients_are_made_in_one_place_that_decides_about_proxies()
    {
        var elsewhere = Sources()
            .Where(source =>
                !source.Path.StartsWith(Place, StringComparison.Ordinal)
                && !Independent.Any(folder => source.Path.StartsWith(folder, StringComparison.Ordinal))
            )
            .Where(source => Made().IsMatch(source.Text))
            .Select(source => source.Path);

        Assert.Empty(elsewhere);
    }

    [Fact]
    public void The_compiler_s_ban_is_lifted_nowhere_else()
    {
        var lifted = Sources()
            .Where(source =>
                !source.Path.StartsWith(Place, StringComparison.Ordinal)
                && source.Text.Contains("RS0030", StringComparison.Ordinal)
            )
            .Select(source => source.Path);

        // Core names it among its errors.
        Assert.Equal(["Galaxy.Core/Galaxy.Core.csproj"], lifted);
    }

    [Fact]
    public void Projects_that_make_clients_of_their_own_never_use_a_proxy()
    {
        var handlers = Sources()
            .Where(source => Independent.Any(folder => source.Path.StartsWith(folder, StringComparison.Ordinal)))
            .SelectMany(source => source.Text.Split('\n'))
            .Where(line => Made().IsMatch(line))
            .ToList();

        Assert.NotEmpty(handlers);
        Assert.All(handlers, line => Assert.Contains("UseProxy = false", line, StringComparison.Ordinal));
    }
}
