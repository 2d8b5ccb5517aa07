using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Galaxy.Simulation.Tests.Stories;

/// <summary>
/// Each <c>Stories/*.txt</c> is a script of events, a line <c>----</c>, and exactly what happens, in a world without
/// chance. <c>GALAXY_REWRITE_STORIES=1</c> writes the second half anew; read the difference before you commit it.
/// </summary>
public class StoryTests
{
    private const string Divider = "----";

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;

    public static TheoryData<string> Names() =>
        [
            .. Directory
                .GetFiles(Path.Combine(AppContext.BaseDirectory, "Stories"), "*.txt")
                .Select(file => Path.GetFileNameWithoutExtension(file)!)
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_happens_as_told(string name)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Stories", name + ".txt"))
            .ReplaceLineEndings("\n");
        var parts = text.Split($"\n{Divider}\n");
        var script = parts[0].TrimEnd();
        var told = new Story(script).Tell();
        if (Environment.GetEnvironmentVariable("GALAXY_REWRITE_STORIES") == "1")
            File.WriteAllText(Path.Combine(Folder(), name + ".txt"), $"{script}\n{Divider}\n{told}");
        else
            Assert.Equal(parts.Length > 1 ? parts[1] : "", told);
    }

    private sealed class Story(string script)
    {
        private readonly StringBuilder _told = new();
        private World _world = null!;

        public string Tell()
        {
            int nodes = 3,
                stores = 1;
            foreach (var line in script.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (words[0] == "nodes")
                    nodes = Number(words[1]);
                else if (words[0] == "stores")
                    stores = Number(words[1]);
                else
                {
                    _world ??= Begin(nodes, stores);
                    Do(line, words);
                }
            }
            return _told.ToString();
        }

        private World Begin(int nodes, int stores) =>
            new(new Plan(0, nodes, stores, []) { Calm = true }, Bug.None) { Log = line => Write(line) };

        private void Write(string line) =>
            _told.Append(CultureInfo.InvariantCulture, $"{_world.Now.TotalSeconds, 7:0.000} s  {line}\n");

        private void Do(string line, string[] words)
        {
            if (words[0] == "run")
            {
                _world.Run(_world.Now + Duration(words[1]));
                return;
            }
            if (words[0] == "show")
            {
                var leaders = _world
                    .Nodes.Where(node => node.Leads)
                    .Select(node => $"{node.Name} leads under token {node.State.Token}");
                _told.Append(
                    CultureInfo.InvariantCulture,
                    $"          = {(leaders.Any() ? string.Join(", ", leaders) : "nobody leads")}\n"
                );
                return;
            }
            Write("* " + line);
            var kind = words[0] switch
            {
                "crash" => FaultKind.Crash,
                "pause" => FaultKind.Pause,
                "isolate" => FaultKind.Isolate,
                "reset" => FaultKind.Reset,
                "reject" => FaultKind.Reject,
                "cut" => FaultKind.CutStore,
                "handover" => FaultKind.HandOver,
                "stopstore" => FaultKind.StoreCrash,
                "emptystore" => FaultKind.StoreRestartsEmpty,
                "flush" => FaultKind.Flush,
                _ => throw new InvalidOperationException($"A story does not know '{words[0]}'."),
            };
            var onStore = words[0] is "stopstore" or "emptystore" or "flush";
            var node = onStore ? 0 : words[1][0] - 'a';
            var other =
                onStore ? Number(words[1])
                : words.Length > 2 && !char.IsDigit(words[2][0]) ? Place(words[2])
                : 0;
            _world.Happen(
                new Fault(
                    _world.Now,
                    kind,
                    node,
                    other,
                    words.Length > 2 && char.IsDigit(words[^1][0]) ? Duration(words[^1]) : TimeSpan.FromHours(1)
                )
            );
        }

        // "b" is a node, "store1" a store.
        private static int Place(string word) =>
            word.StartsWith("store", StringComparison.Ordinal) ? Number(word[5..]) : word[0] - 'a';

        private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

        private static TimeSpan Duration(string text) =>
            text.EndsWith("ms", StringComparison.Ordinal)
                ? TimeSpan.FromMilliseconds(double.Parse(text[..^2], CultureInfo.InvariantCulture))
                : TimeSpan.FromSeconds(double.Parse(text[..^1], CultureInfo.InvariantCulture));
    }
}
