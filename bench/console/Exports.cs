using System.Diagnostics;
using Galaxy.Contracts.Otlp;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Galaxy.Bench.Console;

internal sealed record LoadResult(
    long Spans,
    double Minutes,
    int Refused,
    double MiBBefore,
    double MiBMost,
    double MiBAfter,
    double ProcessorPercent
);

/// <summary>What programs send to the receiver, over gRPC as SDKs do.</summary>
internal static class Exports
{
    private const int Rate = 100_000;
    private const int Batch = 512;

    private static byte[] Random(int length) =>
        global::System.Security.Cryptography.RandomNumberGenerator.GetBytes(length);

    private static (TraceService.TraceServiceClient Client, Metadata Headers) Connect(RunningSystem galaxy) =>
        (
            new TraceService.TraceServiceClient(GrpcChannel.ForAddress(galaxy.Host.Url("console", "otlp-grpc"))),
            new Metadata { { "authorization", "Bearer " + galaxy.Key } }
        );

    private static ResourceSpans Resource(string service, IEnumerable<Span> spans)
    {
        var resource = new ResourceSpans
        {
            Resource = new Resource
            {
                Attributes =
                {
                    new KeyValue
                    {
                        Key = "service.name",
                        Value = new AnyValue { StringValue = service },
                    },
                },
            },
        };
        var scope = new ScopeSpans();
        scope.Spans.AddRange(spans);
        resource.ScopeSpans.Add(scope);
        return resource;
    }

    private static Span Make(byte[] trace, byte[] span, byte[] parent, int i)
    {
        var now = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000;
        var made = new Span
        {
            TraceId = ByteString.CopyFrom(trace),
            SpanId = ByteString.CopyFrom(span),
            ParentSpanId = ByteString.CopyFrom(parent),
            Name = $"GET /items/{{id}} {i % 50}",
            Kind = 1 + i % 5,
            StartTimeUnixNano = now + (ulong)i * 100_000,
            EndTimeUnixNano = now + (ulong)i * 100_000 + 3_000_000,
        };
        foreach (
            var (key, value) in new[]
            {
                ("http.request.method", "GET"),
                ("url.path", $"/items/{i}"),
                ("http.response.status_code", "200"),
                ("server.address", "items.example"),
                ("user.id", $"{i % 997}"),
                ("net.peer", "10.0.0.1"),
            }
        )
            made.Attributes.Add(
                new KeyValue
                {
                    Key = key,
                    Value = new AnyValue { StringValue = value },
                }
            );
        return made;
    }

    /// <summary>One large trace; returns its id.</summary>
    public static async Task<string> TraceAsync(RunningSystem galaxy, int spans)
    {
        var (client, headers) = Connect(galaxy);
        var trace = Random(16);
        var ids = Enumerable.Range(0, spans).Select(_ => Random(8)).ToArray();
        var request = new ExportTraceServiceRequest();
        request.ResourceSpans.Add(
            Resource(
                "big",
                Enumerable.Range(0, spans).Select(i => Make(trace, ids[i], i == 0 ? [] : ids[(i - 1) / 4], i))
            )
        );
        await client.ExportAsync(request, headers);
        return Convert.ToHexStringLower(trace);
    }

    /// <summary>More spans of it.</summary>
    public static async Task AddAsync(RunningSystem galaxy, string trace, int spans)
    {
        var (client, headers) = Connect(galaxy);
        var request = new ExportTraceServiceRequest();
        request.ResourceSpans.Add(
            Resource(
                "more",
                Enumerable.Range(0, spans).Select(i => Make(Convert.FromHexString(trace), Random(8), Random(8), i))
            )
        );
        await client.ExportAsync(request, headers);
    }

    public static async Task<LoadResult> LoadAsync(RunningSystem galaxy, int minutes)
    {
        var (client, headers) = Connect(galaxy);
        var before = galaxy.ConsoleMiB;
        var seconds = galaxy.ConsoleSeconds;
        var (most, sent, refused) = (before, 0L, 0);
        var started = Stopwatch.GetTimestamp();
        var end = TimeSpan.FromMinutes(minutes);
        while (Stopwatch.GetElapsedTime(started) < end)
        {
            var request = new ExportTraceServiceRequest();
            for (var service = 0; service < 4; service++)
            {
                var trace = Random(16);
                var root = Random(8);
                request.ResourceSpans.Add(
                    Resource(
                        $"load-{service}",
                        Enumerable
                            .Range(0, Batch / 4)
                            .Select(i =>
                                Make(
                                    i % 16 == 0 ? trace = Random(16) : trace,
                                    i % 16 == 0 ? root = Random(8) : Random(8),
                                    i % 16 == 0 ? [] : root,
                                    i
                                )
                            )
                    )
                );
            }
            try
            {
                await client.ExportAsync(request, headers);
                sent += Batch;
            }
            catch (RpcException)
            {
                refused++;
            }
            most = Math.Max(most, galaxy.ConsoleMiB);
            var due = TimeSpan.FromMinutes((double)sent / Rate) - Stopwatch.GetElapsedTime(started);
            if (due > TimeSpan.Zero)
                await Task.Delay(due);
        }
        var took = Stopwatch.GetElapsedTime(started);
        return new LoadResult(
            sent,
            took.TotalMinutes,
            refused,
            before,
            most,
            galaxy.ConsoleMiB,
            (galaxy.ConsoleSeconds - seconds) / took.TotalSeconds * 100
        );
    }
}
