using System.Globalization;
using System.Resources;
using System.Text.RegularExpressions;
using Galaxy.Console.Texts;

namespace Galaxy.Console.Tests.Texts;

/// <summary>What pages say is there in both languages.</summary>
public sealed partial class SentencesTests
{
    private static readonly string[] Composed =
    [
        "state",
        "kind",
        "reason",
        "trust",
        "metric",
        "change",
        "role",
        "act",
        "act effect",
        "stands",
    ];

    private static Dictionary<string, string> Read(string language)
    {
        var set = new ResourceManager("Galaxy.Console.Texts." + language, typeof(T).Assembly).GetResourceSet(
            CultureInfo.InvariantCulture,
            true,
            true
        )!;
        return set.Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(entry => ((string)entry.Key).TrimStart('_'), entry => (string)entry.Value!);
    }

    private static string Folder
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "Galaxy.sln")))
                folder = Path.GetDirectoryName(folder)!;
            return Path.Combine(folder, "Galaxy.Console");
        }
    }

    [Fact]
    public void Every_sentence_of_the_pages_has_its_chinese()
    {
        var chinese = Read("Chinese");
        List<string> missing = [];
        foreach (
            var file in Directory
                .EnumerateFiles(Folder, "*.razor", SearchOption.AllDirectories)
                .Append(Path.Combine(Folder, "Findings", "Diagnosis.cs"))
                .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
        )
        {
            var text = File.ReadAllText(file);
            var said = Said()
                .Matches(text)
                .Select(match => match.Groups[1].Value)
                .Concat(
                    Found()
                        .Matches(text)
                        .Concat(Either().Matches(text))
                        .SelectMany(match => new[] { match.Groups[1].Value, match.Groups[2].Value })
                );
            missing.AddRange(
                said.Where(sentence =>
                        !sentence.EndsWith(": ", StringComparison.Ordinal)
                        && sentence != "said by "
                        && !chinese.ContainsKey(sentence)
                    )
                    .Select(sentence => $"{Path.GetFileName(file)}: {sentence}")
            );
        }
        Assert.True(missing.Count == 0, string.Join('\n', missing));
    }

    [Fact]
    public void Places_for_values_and_marks_are_the_same_in_both_languages()
    {
        var english = Read("English");
        foreach (var (sentence, chinese) in Read("Chinese"))
        {
            var original = english.GetValueOrDefault(sentence, sentence);
            Assert.Equal(Marks(original), Marks(chinese));
        }
    }

    [Fact]
    public void Names_that_are_put_together_are_in_both_files()
    {
        var (english, chinese) = (Read("English"), Read("Chinese"));
        Assert.Equal(
            english.Keys.Order(),
            chinese
                .Keys.Where(key =>
                    Composed.Any(prefix => key.StartsWith(prefix + ": ", StringComparison.Ordinal))
                    || key.StartsWith("said by", StringComparison.Ordinal)
                )
                .Order()
        );
        foreach (var state in Enum.GetValues<Galaxy.Contracts.Api.TaskState>())
            Assert.Contains(
                "state: " + System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString()),
                english.Keys
            );
    }

    private static string Marks(string text) =>
        string.Join(' ', Mark().Matches(text).Select(match => match.Value).Distinct().Order());

    [GeneratedRegex("""\bT\["((?:[^"\\]|\\.)*)"[\],]""")]
    private static partial Regex Said();

    [GeneratedRegex("""\bT\[[^"\]]*\? "([^"]*)" : "([^"]*)"\]""")]
    private static partial Regex Either();

    [GeneratedRegex("""new\("(?:bad|warn|info)", "([^"]*)", "([^"]*)",? ?""")]
    private static partial Regex Found();

    [GeneratedRegex(@"\{\d\}|</?\w+>")]
    private static partial Regex Mark();
}
