using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Input;

// dotnet run -c Release --project bench/edge
var bodies = new (string Name, byte[] Json)[]
{
    (
        "a task, 200 bytes",
        Json(
            "{\"action\":\"echo\",\"params\":{\"text\":\""
                + new string('x', 100)
                + "\"},\"priority\":8,\"tags\":[\"a\",\"b\"],\"timeout_seconds\":30}"
        )
    ),
    (
        "a task, 100 KB of text",
        Json("{\"action\":\"echo\",\"params\":{\"text\":\"" + new string('x', 100_000) + "\"}}")
    ),
    (
        "a batch, 1,000 tasks",
        Json(
            "["
                + string.Join(
                    ',',
                    Enumerable.Repeat("""{"action":"echo","params":{"text":"hello","n":1.5},"tags":["a"]}""", 1000)
                )
                + "]"
        )
    ),
    (
        "a chat, 200 messages",
        Json(
            "{\"model\":\"m\",\"messages\":["
                + string.Join(
                    ',',
                    Enumerable.Repeat("{\"role\":\"user\",\"content\":\"" + new string('y', 500) + "\"}", 200)
                )
                + "]}"
        )
    ),
};
Console.WriteLine($"{"body", -26} {"bytes", 9} {"check µs", 10} {"parse µs", 10} {"check / parse", 14}");
foreach (var (name, json) in bodies)
{
    var (check, parse) = (Time(() => JsonInput.Validate(json) is null), Time(() => JsonNode.Parse(json) is not null));
    Console.WriteLine($"{name, -26} {json.Length, 9:N0} {check, 10:0.0} {parse, 10:0.0} {check / parse, 14:0.00}");
}

static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

// The median of eleven runs, each long enough to be timed; microseconds for one.
static double Time(Func<bool> work)
{
    var runs = new List<double>();
    for (var run = 0; run < 12; run++)
    {
        var (count, started) = (0, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(started).TotalMilliseconds < 200)
        {
            if (!work())
                throw new JsonException("It is refused.");
            count++;
        }
        if (run > 0)
            runs.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds / count);
    }
    return runs.Order().ElementAt(runs.Count / 2);
}
