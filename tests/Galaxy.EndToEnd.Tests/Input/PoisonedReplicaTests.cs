using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Contracts.Cluster;
using Galaxy.Contracts.Gossip;
using Galaxy.ServiceDefaults.Input;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GossipClient = Galaxy.Contracts.Gossip.Gossip.GossipClient;

namespace Galaxy.EndToEnd.Tests.Input;

/// <summary>
/// A coordinator of a broken version gossips records of every kind that nobody can read: each harms itself only,
/// whoever leads.
/// </summary>
[Collection("poisoned system")]
public sealed class PoisonedReplicaTests(RunningGalaxy galaxy)
{
    private const string Origin = "broken~00000001";

    private static readonly string[] Spaces =
    [
        "devices",
        "groups",
        "group_members",
        "failover",
        "services",
        "config",
        "config_history",
        "access",
        "audit",
        "heartbeats",
        "metrics",
        "notes",
    ];

    private static readonly string[] Values =
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        "\"text\"",
        "\u0000",
        "[null]",
        "{\"a\":1,\"a\":2}",
        "{\"\\udc00\":1}",
        "{\"devices\":[null],\"name\":null}",
        "{\"device_id\":\"x\",\"capabilities\":[null]}",
        "{\"device_id\":null,\"tags\":[null],\"slots\":1e300}",
        "{\"device_id\":\"x\",\"device_name\":\"x\",\"device_type\":\"x\",\"state\":\"online\","
            + "\"capabilities\":[\"echo\"],\"capability_details\":[{\"name\":\"echo\",\"parameters\":{\"a\":1,"
            + "\"a\":2}}]}",
        "{\"id\":null,\"hash\":null,\"role\":\"emperor\",\"expires\":\"never\"}",
        "{\"by\":7,\"change\":[],\"document\":\"x\"}",
        new string('[', 64) + new string(']', 64),
    ];

    private ulong _counter;

    [Fact]
    public async Task Poison_in_every_namespace_harms_itself_only_and_a_new_leader_leads()
    {
        var before = galaxy.Host.Names.ToDictionary(name => name, name => galaxy.Host.ProcessId(name));
        var good = await galaxy.SubmitAsync(
            new
            {
                action = "echo",
                @params = new { text = "kept" },
                not_before = DateTimeOffset.UtcNow.AddSeconds(20),
            }
        );
        using var kept = await galaxy.Http.PutAsJsonAsync("/api/v1/state/notes/good", new { text = "good" });
        kept.EnsureSuccessStatusCode();
        var entries = Entries(await DocumentsAsync()).ToList();
        foreach (var node in (string[])["coordinator-a", "coordinator-b", "coordinator-c"])
            await PushAsync(node, entries);

        await EverythingAnswersAsync("with the poison there");
        var old = await galaxy.LeaderAsync();
        galaxy.Host.Kill(old.NodeId);
        await Eventually.TrueAsync(async () =>
            (await galaxy.ClusterAsync())?.Leader is { } next && next.Token > old.Token
        );
        Assert.Equal(
            TaskState.Completed,
            (
                await galaxy.FinishedAsync(
                    await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "after" } })
                )
            ).State
        );
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(good)).State);
        await galaxy.SettledAsync();
        await EverythingAnswersAsync("with another leader");

        // Nothing but the killed one was started again, and no loop has failed.
        before.Remove(old.NodeId);
        Assert.Equal(before, before.Keys.ToDictionary(name => name, name => galaxy.Host.ProcessId(name)));
        Assert.Equal([], Health.DefectsOf(galaxy));
        var aside = await QuarantineAsync();
        foreach (var space in (string[])["devices", "groups", "services", "config_history", "access", "audit"])
            Assert.Contains(aside, record => record.Kind == space);

        // Each can be deleted, and then nothing is left of it.
        foreach (var record in aside)
        {
            using var deleted = await galaxy.Http.DeleteAsync(
                $"/api/v1/quarantine?kind={record.Kind}&id={Uri.EscapeDataString(record.Id)}"
            );
            Assert.Equal((record.Id, HttpStatusCode.NoContent), (record.Id, deleted.StatusCode));
        }
        await EverythingAnswersAsync("without the poison");
        Assert.Empty(await QuarantineAsync());
    }

    private async Task<IReadOnlyList<string>> DocumentsAsync() =>
        [
            .. (await galaxy.Http.GetFromJsonAsync<JsonArray>("/api/v1/config"))!.Select(document =>
                (string)document!["name"]!
            ),
        ];

    private IEnumerable<Entry> Entries(IReadOnlyList<string> documents)
    {
        string[] known = ["settings", "failed/x", "losses/x", "good/", "/", "x/y/z", "\u0000", new string('k', 1024)];
        foreach (var space in Spaces)
        {
            var keys = space switch
            {
                "config" => documents.Concat(documents.Select(name => "nodes/coordinator-a/" + name)),
                "config_history" => documents.Select(name => name + "/0-0-x"),
                _ => known,
            };
            foreach (var (key, i) in keys.Select((key, i) => (key, i)))
                yield return Made(space, key, Encoding.UTF8.GetBytes(Values[(i * 5 + space.Length) % Values.Length]));
            for (var i = 0; i < Values.Length; i++)
                yield return Made(space, $"bad-{i}", Encoding.UTF8.GetBytes(Values[i]));
            yield return Made(space, "bytes", [0xFF, 0xFE, 0x00, 0x80]);
            // Beyond every calendar.
            yield return Made(space, "late", "{}"u8.ToArray(), long.MaxValue);
            yield return Made(space, "early", "{}"u8.ToArray(), long.MinValue);
        }
        // What can be read, and computed with.
        yield return Made("failover", "losses/coordinator-a", "[9223372036854775807,-9223372036854775808]"u8.ToArray());
        yield return Made("failover", "losses/coordinator-b", "[9223372036854775807]"u8.ToArray());
        yield return Made(
            "failover",
            "settings",
            """{"recovery_timeout_seconds":1e300,"health_check_interval_seconds":-1,"max_failover_attempts":-7}"""u8.ToArray()
        );
        yield return Made(
            "devices",
            "huge",
            """{"device_id":"huge","state":"online","slots":2147483647,"weight":-1e300,"capabilities":[{"name":"a"},{"name":"a"}],"held_by":"x"}"""u8.ToArray()
        );
        yield return Merged(
            "counters",
            ("/x/$counter/a", "79228162514264337593543950335"),
            ("/x/$counter/b", "79228162514264337593543950335")
        );
        yield return Merged(
            "no-numbers",
            ("/x/$counter/a", "abc"),
            ("/x/$counter/b", "[]"),
            ("/y", "{"),
            ("/z/$set/1", ""),
            ("/x", "1"),
            ("", "x"),
            ("w", "{}")
        );
        // What can be read, and says what cannot be.
        yield return Made("services", "odd", OddService().ToByteArray());
        yield return Made("services", "another", OddService().ToByteArray());
        yield return Made(
            "devices",
            "another",
            """{"device_id":"worker-1","device_name":"x","device_type":"x","state":"online","held_by":"x"}"""u8.ToArray()
        );
        foreach (var key in (string[])["twin-1", "twin-2"])
            yield return Made(
                "access",
                key,
                """{"id":"twin-1","name":"twin","role":"client","hash":"00","created":"2026-11-29T00:00:00Z","by":"x"}"""u8.ToArray()
            );
        yield return Made("audit", "odd", new AuditEntry { AtUnixMs = long.MaxValue }.ToByteArray());
        yield return Made(
            "audit",
            "odder",
            new AuditEntry { AtUnixMs = long.MinValue, Status = int.MinValue }.ToByteArray()
        );
    }

    private static Service OddService()
    {
        var service = new Service
        {
            Id = "odd",
            Kind = "router",
            Url = "::::",
            Load = double.NaN,
            TtlMs = long.MaxValue,
            LastSeenUnixMs = long.MaxValue,
            Status = "?",
            Layer = "?",
        };
        foreach (var parameters in (string[])["{\"a\":1,\"a\":2}", "[", "null", "{\"type\":7}", "\"\\ud800\""])
            service.Capabilities.Add(
                new Capability
                {
                    Name = "odd",
                    Parameters = parameters,
                    Path = "http://[",
                    Method = "\n",
                }
            );
        service.Capabilities.Add(new Capability());
        return service;
    }

    private Entry Merged(string key, params (string Path, string Value)[] places)
    {
        var entry = Made("notes", key, "{}"u8.ToArray());
        foreach (var (path, value) in places)
            entry.Versions.Add(
                new Contracts.Gossip.Version
                {
                    Path = path,
                    Dot = new Dot { Origin = Origin, Counter = ++_counter },
                    HlcPhysicalMs = entry.HlcPhysicalMs,
                    Policy = 2,
                    Value = ByteString.CopyFromUtf8(value),
                }
            );
        return entry;
    }

    private Entry Made(string space, string key, byte[] value, long? time = null) =>
        new()
        {
            Namespace = space,
            Key = key,
            Value = ByteString.CopyFrom(value),
            Dot = new Dot { Origin = Origin, Counter = ++_counter },
            HlcPhysicalMs = time ?? DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        };

    private async Task PushAsync(string node, IReadOnlyList<Entry> entries)
    {
        using var channel = GrpcChannel.ForAddress(galaxy.Host.Url(node, "grpc"));
        var client = new GossipClient(channel);
        var headers = new Metadata { { "authorization", "Bearer " + galaxy.Key } };
        foreach (var some in entries.Chunk(50))
        {
            var request = new PushRequest { Cluster = "galaxy", From = "broken" };
            request.Entries.AddRange(some);
            await client.PushAsync(request, headers, DateTime.UtcNow.AddSeconds(10));
        }
    }

    /// <summary>
    /// Every operation that reads, through the gateway and at each coordinator: no answer is a failure of the service.
    /// </summary>
    private async Task EverythingAnswersAsync(string when)
    {
        var document = await ApiDocument.WholeAsync(galaxy.Http);
        var paths = ((JsonObject)document["paths"]!)
            .Where(path => path.Value!["get"] is not null)
            .Select(path => path.Key)
            .Concat(Spaces.Select(space => "/api/v1/state/" + space))
            .Concat([
                "/nodes",
                "/tools",
                "/api/v1/state/notes/bad-9",
                "/api/v1/state/notes/late",
                "/api/v1/state/notes/counters",
                "/api/v1/state/notes/no-numbers",
                "/api/v1/state",
                "/api/v1/backup",
            ]);
        var problems = new List<string>();
        using var a = galaxy.Client("coordinator-a");
        using var b = galaxy.Client("coordinator-b");
        using var c = galaxy.Client("coordinator-c");
        foreach (var path in paths.Select(Filled).Distinct())
        {
            foreach (var client in (HttpClient[])[galaxy.Http, a, b, c])
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
                using var answer = await client.GetAsync(
                    path,
                    HttpCompletionOption.ResponseHeadersRead,
                    patience.Token
                );
                if ((int)answer.StatusCode >= 500)
                    problems.Add(
                        $"{client.BaseAddress} {path}: {(int)answer.StatusCode} "
                            + $"{await answer.Content.ReadAsStringAsync(patience.Token)}"
                    );
            }
        }
        Assert.True(problems.Count == 0, $"{when}: {problems.Count} problems\n{string.Join('\n', problems.Take(40))}");
    }

    // The same entry in each place: what a name in a path stands for does not matter to who must not fail.
    private static string Filled(string path) =>
        string.Join('/', path.Split('/').Select(part => part.StartsWith('{') ? "bad-9" : part));

    private async Task<IReadOnlyList<QuarantinedRecord>> QuarantineAsync() =>
        (await galaxy.Http.GetFromJsonAsync<List<QuarantinedRecord>>("/api/v1/quarantine", GalaxyJson.Options))!;
}
