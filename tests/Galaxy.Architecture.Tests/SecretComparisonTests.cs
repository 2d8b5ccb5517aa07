using System.Text.RegularExpressions;
using Galaxy.Architecture.Tests.Deploy;

namespace Galaxy.Architecture.Tests;

/// <summary>
/// Who may is told by comparisons that take as long whatever differs. No measurement can tell: beside the hash that is
/// computed before it, a comparison of 32 bytes takes no time at all. So the sources are read.
/// </summary>
public partial class SecretComparisonTests
{
    /// <summary>Where something that only its owner can know is compared, and how often.</summary>
    private static readonly Dictionary<string, int> Expected = new(StringComparer.Ordinal)
    {
        ["Galaxy.Core/Discovery/Announcement.cs"] = 1,
        ["Galaxy.Discovery/Peers/Trust.cs"] = 1,
        ["Galaxy.LocalHosting/Control/ControlApi.cs"] = 1,
        ["Galaxy.ServiceDefaults/Nodes/ApiKey.cs"] = 2,
        ["Galaxy.ServiceDefaults/Authentication/ServiceTokens.cs"] = 2,
        ["Galaxy.ServiceDefaults/Authentication/SignInLink.cs"] = 1,
    };

    /// <summary>Where a caller's key is compared, by a method of those above.</summary>
    private static readonly Dictionary<string, int> Callers = new(StringComparer.Ordinal)
    {
        ["Galaxy.Console/Otlp/OtlpTokenHandler.cs"] = 1,
        ["Galaxy.Coordinator/Access/JoinTokens.cs"] = 1,
        ["Galaxy.ServiceDefaults/Authentication/AccessKey.cs"] = 1,
        ["Galaxy.ServiceDefaults/Authentication/CallerIdentifier.cs"] = 2,
    };

    private static Dictionary<string, int> Count(Regex what) =>
        (
            from folder in Directory.EnumerateDirectories(Repository.Root, "Galaxy.*")
            from file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            let path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')
            where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
            let count = what.Count(File.ReadAllText(file))
            where count > 0
            select (path, count)
        ).ToDictionary(one => one.path, one => one.count, StringComparer.Ordinal);

    [Fact]
    public void Secrets_are_compared_in_constant_time_wherever_they_are_compared() =>
        Assert.Equivalent(Expected, Count(ConstantTime()), strict: true);

    [Fact]
    public void Keys_that_somebody_shows_are_compared_by_their_fingerprints() =>
        Assert.Equivalent(Callers, Count(OfFingerprints()), strict: true);

    [Fact]
    public void Beside_such_a_comparison_there_is_none_that_ends_at_the_first_difference()
    {
        // Fingerprints that joining devices name of their keys: who knows one has no key.
        var others =
            from path in Expected.Keys.Concat(Callers.Keys).Except(["Galaxy.Coordinator/Access/JoinTokens.cs"])
            from line in File.ReadLines(Path.Combine(Repository.Root, path))
            where EndsEarly().IsMatch(line) && !line.TrimStart().StartsWith("//", StringComparison.Ordinal)
            select $"{path}: {line.Trim()}";

        Assert.Empty(others);
    }

    // What follows the name is part of it: comments and other names do not count.
    [GeneratedRegex(@"\bCryptographicOperations\s*\.FixedTimeEquals\s*\(")]
    private static partial Regex ConstantTime();

    [GeneratedRegex(@"\bApiKey\s*\.Matches\s*\(")]
    private static partial Regex OfFingerprints();

    // A hash, a signature, a code or a key on either side of a comparison; lengths and null are no secrets.
    [GeneratedRegex(
        @"\bSequenceEqual\s*\(|\bSequenceCompareTo\s*\("
            + @"|\b\w*([Ss]ecret|[Ss]ignature|[Hh]ash|[Mm]ac|[Ff]ingerprint|[Pp]resented|[Ee]xpected)\b(\(.*\))? ([!=]=|is) (?!null|not null|\{|not \{)"
            + @"|[!=]= \w*([Ss]ecret|[Ss]ignature|[Hh]ash|[Mm]ac|[Ff]ingerprint|[Pp]resented|[Ee]xpected)\b(?!\.Length)"
    )]
    private static partial Regex EndsEarly();
}
