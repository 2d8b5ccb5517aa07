using System.Diagnostics;
using System.Globalization;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Core.Tests.Fuzzing;
using Makaretu.Dns;

namespace Galaxy.Bench.Mdns.Codec;

/// <summary>Damaged packets, the same for both codecs: their cost, and whether the codecs agree about them.</summary>
internal static class Damage
{
    private const int Longest = 9000;
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(100);

    private sealed class Tally(string name)
    {
        public string Name => name;
        public Dictionary<string, long> Exceptions { get; } = [];
        public long Accepted { get; set; }
        public long MostBytes { get; set; }
        public long Bytes { get; set; }
        public long Slow { get; set; }
        public TimeSpan Longest { get; set; }
        public TimeSpan Took { get; set; }

        public long Thrown => Exceptions.Values.Sum();
    }

    public static void Run(int packets)
    {
        var corpus = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "dns.hex"))
            .Select(line => line.Trim())
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(Convert.FromHexString)
            .ToList();
        IReadOnlyList<byte[]> words =
        [
            .. new[] { "\u0004", "\u000b_ufo-galaxy\u0004_tcp\u0005local\0", "\u00c0\u000c" }.Select(
                Encoding.Latin1.GetBytes
            ),
        ];
        var mutator = new Mutator(new Random(1), words, Longest);
        var (ours, bare, adapted) = (
            new Tally("Galaxy.Core"),
            new Tally("Makaretu.Dns, bare"),
            new Tally("Makaretu.Dns, completed")
        );
        MakaretuAdapter.IsComplete = true;
        var (onlyOurs, onlyTheirs, different) = (0L, 0L, 0L);
        var examples = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < packets; i++)
        {
            var packet = mutator.Damage(corpus);
            DnsMessage? here = null,
                there = null;
            Measure(ours, packet, bytes => DnsReader.TryParse(bytes, out here));
            Measure(bare, packet, bytes => new Message().Read(bytes) is not null);
            Measure(adapted, packet, bytes => MakaretuAdapter.TryParse(bytes, out there));
            if (here is not null && there is null)
                Note(ref onlyOurs, "only ours", packet);
            else if (here is null && there is not null)
                Note(ref onlyTheirs, "only theirs", packet);
            else if (here is not null && Fidelity.Text(here) != Fidelity.Text(there!))
                Note(ref different, "differently", packet);
        }
        Console.WriteLine(
            "| codec | packets | accepted | threw | exceptions | over 100 ms | longest ms | mean µs "
                + "| mean bytes | most bytes |"
                + "\n|---|---|---|---|---|---|---|---|---|---|"
        );
        foreach (var tally in new[] { ours, bare, adapted })
        {
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {tally.Name} | {packets:N0} | {100.0 * tally.Accepted / packets:0.0} % "
                        + $"| {100.0 * tally.Thrown / packets:0.0} % | {Kinds(tally)} | {tally.Slow} "
                        + $"| {tally.Longest.TotalMilliseconds:0.0} | {tally.Took.TotalMicroseconds / packets:0.0} "
                        + $"| {tally.Bytes / packets:N0} | {tally.MostBytes:N0} |"
                )
            );
        }
        Console.WriteLine();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Accepted by Galaxy.Core only: {onlyOurs:N0}; by Makaretu.Dns only: {onlyTheirs:N0}; "
                    + $"by both with different contents: {different:N0}."
            )
        );
        foreach (var (kind, example) in examples)
            Console.WriteLine($"First packet understood by {kind}: {example}");

        void Note(ref long count, string kind, byte[] packet)
        {
            count++;
            examples.TryAdd(kind, Convert.ToHexStringLower(packet.AsSpan(0, Math.Min(packet.Length, 120))));
        }
    }

    private static string Kinds(Tally tally) =>
        tally.Exceptions.Count == 0
            ? "none"
            : string.Join(
                ", ",
                tally
                    .Exceptions.OrderByDescending(kind => kind.Value)
                    .Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Key} {kind.Value:N0}"))
            );

    private static void Measure(Tally tally, byte[] packet, Func<byte[], bool> parse)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var began = Stopwatch.GetTimestamp();
        try
        {
            tally.Accepted += parse(packet) ? 1 : 0;
        }
        catch (Exception failure)
        {
            var kind = failure.GetType().Name;
            tally.Exceptions[kind] = tally.Exceptions.GetValueOrDefault(kind) + 1;
        }
        var took = Stopwatch.GetElapsedTime(began);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        tally.Took += took;
        tally.Bytes += allocated;
        tally.MostBytes = Math.Max(tally.MostBytes, allocated);
        tally.Longest = took > tally.Longest ? took : tally.Longest;
        tally.Slow += took > Slow ? 1 : 0;
    }
}
