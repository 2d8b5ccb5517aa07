using System.Diagnostics;
using System.Globalization;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Mdns;

namespace Galaxy.Bench.Mdns.Codec;

/// <summary>Time and memory of parsing and writing; the median of several rounds on one thread.</summary>
internal static class Speed
{
    private const int Rounds = 9;
    private const int Warmup = 20_000;
    private const int Times = 20_000;

    public static void Run(params IDnsCodec[] codecs)
    {
        var question = new DnsMessage { Questions = [new(ServiceTxt.ServiceType, DnsType.Ptr)] };
        var answer = Fidelity.Answer();
        var large = DnsPacker
            .Pack(
                new DnsMessage
                {
                    Questions = [new(ServiceTxt.ServiceType, DnsType.Ptr)],
                    Answers =
                    [
                        .. Enumerable
                            .Range(0, 100)
                            .Select(i => new DnsRecord(
                                ServiceTxt.ServiceType,
                                DnsType.Ptr,
                                4500,
                                $"node-{i}.{ServiceTxt.ServiceType}"
                            )),
                    ],
                }
            )
            .First();
        var malformed = DnsWriter.Write(answer)[..^1];
        Console.WriteLine("| operation | codec | bytes | µs | allocated bytes |\n|---|---|---|---|---|");
        foreach (
            var (name, message) in new[]
            {
                ("question", question),
                ("answer of five records", answer),
                ("known answers", Parse(large)),
            }
        )
        {
            var bytes = DnsWriter.Write(message);
            foreach (var codec in codecs)
                Report($"parse {name}", codec.Name, bytes.Length, () => _ = codec.TryParse(bytes, out _));
            foreach (var codec in codecs)
                Report($"write {name}", codec.Name, codec.Write(message).Length, () => _ = codec.Write(message));
        }
        foreach (var codec in codecs)
            Report(
                "refuse an answer without its last byte",
                codec.Name,
                malformed.Length,
                () => _ = codec.TryParse(malformed, out _),
                Times / 20
            );

        static DnsMessage Parse(byte[] bytes) =>
            DnsReader.TryParse(bytes, out var message) ? message : throw new InvalidOperationException("not a message");
    }

    private static void Report(string what, string codec, int length, Action act, int times = Times)
    {
        for (var i = 0; i < Math.Min(Warmup, times); i++)
            act();
        var (took, allocated) = (new List<double>(), 0L);
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var began = Stopwatch.GetTimestamp();
            for (var i = 0; i < times; i++)
                act();
            took.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds / times);
            allocated = (GC.GetAllocatedBytesForCurrentThread() - before) / times;
        }
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {what} | {codec} | {length} | {took.Order().ElementAt(Rounds / 2):0.00} | {allocated:N0} |"
            )
        );
    }
}
