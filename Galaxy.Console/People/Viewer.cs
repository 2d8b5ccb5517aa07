using System.Globalization;
using System.Security.Claims;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Console.People;

/// <summary>How a user wants to see pages: from cookies, or as the browser says.</summary>
/// <param name="Language"><c>en</c> or <c>zh-Hans</c>.</param>
/// <param name="Zone">An IANA name; null: not known yet.</param>
/// <param name="Theme"><c>light</c>, <c>dark</c>; null: as the system has it.</param>
public sealed record Taste(string Language, string? Zone, string? Theme)
{
    public const string English = "en",
        Chinese = "zh-Hans";

    public static Taste Of(HttpRequest request)
    {
        var language = request.Cookies["galaxy.language"] switch
        {
            English => English,
            Chinese => Chinese,
            _ => request
                .GetTypedHeaders()
                .AcceptLanguage.OrderByDescending(one => one.Quality ?? 1)
                .Select(one => one.Value.Value ?? "")
                .Select(one =>
                    one.StartsWith("zh", StringComparison.OrdinalIgnoreCase) ? Chinese
                    : one.StartsWith("en", StringComparison.OrdinalIgnoreCase) ? English
                    : null
                )
                .FirstOrDefault(one => one is not null)
                ?? English,
        };
        return new Taste(
            language,
            request.Cookies["galaxy.zone"],
            request.Cookies["galaxy.theme"] switch
            {
                "light" => "light",
                "dark" => "dark",
                _ => null,
            }
        );
    }
}

/// <summary>The user of a circuit's pages, with language and time zone. One instance for each circuit.</summary>
public sealed class Viewer
{
    public ClaimsPrincipal Person { get; set; } = new();

    public string Name => Person.Identity?.Name ?? "";

    public AccessRole Role => Principals.RoleOf(Person);

    public bool May(AccessRole needed) => Role.May(needed);

    public string Language { get; private set; } = Taste.English;

    public string? Theme { get; private set; }

    public TimeZoneInfo Zone { get; private set; } = TimeZoneInfo.Utc;

    public bool KnowsZone { get; private set; }

    public void Take(Taste taste)
    {
        Language = taste.Language;
        Theme = taste.Theme;
        TakeZone(taste.Zone);
    }

    /// <summary>A zone that this machine does not know leaves everything in UTC.</summary>
    public void TakeZone(string? zone)
    {
        if (zone is { Length: > 0 and < 64 } && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found))
            (Zone, KnowsZone) = (found, true);
    }

    public string Clock(DateTimeOffset time) => In(time).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public string Full(DateTimeOffset time) => In(time).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private DateTimeOffset In(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Zone);
}
