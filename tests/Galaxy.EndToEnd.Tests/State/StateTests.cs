using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.State;

/// <summary>The replicated state through the gateway and on single coordinators.</summary>
[Collection("system")]
public sealed class StateTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private static readonly string[] Coordinators = ["coordinator-a", "coordinator-b", "coordinator-c"];

    private static int Writes =>
        Environment.GetEnvironmentVariable("GALAXY_WRITES") is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : 1000;

    private static async Task<StateEntryView?> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync("/api/v1/state/" + path);
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadFromJsonAsync<StateEntryView>(GalaxyJson.Options)
            : null;
    }

    private static async Task<StateEntryView> PutAsync(HttpClient client, string path, string json)
    {
        using var answer = await client.PutAsync(
            "/api/v1/state/" + path,
            new StringContent(json, Encoding.UTF8, "application/json")
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<StateEntryView>(GalaxyJson.Options))!;
    }

    [Fact]
    public async Task What_is_written_on_one_coordinator_is_read_on_all_and_conditions_hold()
    {
        var written = await PutAsync(galaxy.Http, "notes/a/b", """{"text":"hello"}""");
        foreach (var name in Coordinators)
        {
            using var client = galaxy.Client(name);
            await Eventually.TrueAsync(async () => (await GetAsync(client, "notes/a/b"))?.Etag == written.Etag);
        }

        using var conditional = new HttpRequestMessage(HttpMethod.Put, "/api/v1/state/notes/a/b")
        {
            Content = JsonContent.Create(new { text = "second" }),
        };
        conditional.Headers.TryAddWithoutValidation("If-Match", written.Etag);
        using var accepted = await galaxy.Http.SendAsync(conditional);
        Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
        using var late = new HttpRequestMessage(HttpMethod.Put, "/api/v1/state/notes/a/b")
        {
            Content = JsonContent.Create(new { text = "third" }),
        };
        late.Headers.TryAddWithoutValidation("If-Match", written.Etag);
        using var refused = await galaxy.Http.SendAsync(late);
        Assert.Equal(HttpStatusCode.PreconditionFailed, refused.StatusCode);

        using var deleted = await galaxy.Http.DeleteAsync("/api/v1/state/notes/a/b");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var other = galaxy.Client("coordinator-b");
        await Eventually.TrueAsync(async () => await GetAsync(other, "notes/a/b") is null);
    }

    [Theory]
    [InlineData("devices/x", "{}", HttpStatusCode.Forbidden, "Galaxy's own")]
    [InlineData("notes/x?policy=guess", "{}", HttpStatusCode.BadRequest, "'policy' is 'guess'")]
    [InlineData("notes/x?policy=merge", "[1]", HttpStatusCode.BadRequest, "JSON object")]
    [InlineData("notes/x", "{", HttpStatusCode.BadRequest, "is not JSON")]
    [InlineData("notes/x", "", HttpStatusCode.BadRequest, "empty")]
    [InlineData("no!tes/x", "{}", HttpStatusCode.BadRequest, "namespace")]
    public async Task What_cannot_be_written_is_refused_with_the_reason(
        string path,
        string body,
        HttpStatusCode status,
        string reason
    )
    {
        using var answer = await galaxy.Http.PutAsync(
            "/api/v1/state/" + path,
            new StringContent(body, Encoding.UTF8, "application/json")
        );

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(
            reason,
            (await answer.Content.ReadFromJsonAsync<JsonNode>())!["detail"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_value_that_is_too_large_is_refused_and_the_node_lives()
    {
        using var answer = await galaxy.Http.PutAsync(
            "/api/v1/state/notes/big",
            new ByteArrayContent(new byte[300 * 1024])
        );

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.NotNull(await galaxy.ClusterAsync());
    }

    [Fact]
    public async Task A_watcher_sees_changes_and_goes_on_where_it_was_cut_off()
    {
        using var client = galaxy.Client("coordinator-a");
        using var writer = galaxy.Client("coordinator-b");
        await PutAsync(writer, "watched/one", "1");
        await Eventually.TrueAsync(async () => await GetAsync(client, "watched/one") is not null);
        string last;
        using (var stream = await client.GetStreamAsync("/api/v1/state/watch?ns=watched"))
        {
            var events = SseParser.Create(stream).EnumerateAsync().GetAsyncEnumerator();
            Assert.True(await events.MoveNextAsync());
            Assert.Equal("begin", events.Current.EventType);
            Assert.True(await events.MoveNextAsync());
            Assert.Equal("state", events.Current.EventType);
            Assert.True(await events.MoveNextAsync());
            Assert.Equal("ready", events.Current.EventType);
            await PutAsync(writer, "watched/two", "2");
            Assert.True(await events.MoveNextAsync());
            Assert.Contains("two", events.Current.Data, StringComparison.Ordinal);
            last = events.Current.EventId!;
        }

        await PutAsync(writer, "watched/three", "3");
        await Eventually.TrueAsync(async () => await GetAsync(client, "watched/three") is not null);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/state/watch?ns=watched");
        request.Headers.TryAddWithoutValidation("Last-Event-ID", last);
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var again = SseParser.Create(await answer.Content.ReadAsStreamAsync()).EnumerateAsync().GetAsyncEnumerator();
        Assert.True(await again.MoveNextAsync());
        Assert.Equal("change", again.Current.EventType);
        Assert.Contains("three", again.Current.Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_that_was_acknowledged_is_missing_after_coordinators_were_killed_at_random_moments()
    {
        var random = new Random(71);
        var clients = Coordinators.ToDictionary(name => name, galaxy.Client);
        var (kills, down) = (0, (string?)null);
        var acknowledged = new List<int>();
        var deadline = TimeProvider.System.GetTimestamp();
        for (var i = 0; acknowledged.Count < Writes; i++)
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromMinutes(3),
                $"only {acknowledged.Count} writes were acknowledged"
            );
            var name = Coordinators[i % 3];
            // The next one dies when the last one has answered again: a cluster that is dead as a whole proves nothing.
            if (down is null && random.Next(100) == 0)
            {
                down = Coordinators[random.Next(3)];
                galaxy.Host.Kill(down);
                kills++;
            }
            try
            {
                using var answer = await clients[name]
                    .PutAsync(
                        $"/api/v1/state/killed/{i}",
                        new StringContent($"{i}", Encoding.UTF8, "application/json")
                    );
                if (!answer.IsSuccessStatusCode)
                    continue;
                acknowledged.Add(i);
                down = down == name ? null : down;
            }
            catch (Exception gone) when (gone is HttpRequestException or TaskCanceledException)
            {
                // Not acknowledged.
            }
        }
        TestContext.Current.SendDiagnosticMessage($"{acknowledged.Count} writes acknowledged, {kills} kills");

        Assert.True(kills > 0, "nobody was killed");
        foreach (var client in clients.Values)
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    try
                    {
                        return (await ReadAllAsync(client)).IsSupersetOf(acknowledged);
                    }
                    catch (HttpRequestException)
                    {
                        return false;
                    }
                },
                60
            );
            client.Dispose();
        }
    }

    private static async Task<HashSet<int>> ReadAllAsync(HttpClient client)
    {
        var keys = new HashSet<int>();
        string? after = null;
        do
        {
            var page = await client.GetFromJsonAsync<StatePage>(
                $"/api/v1/state/killed?limit=1000{(after is null ? "" : "&after=" + after)}",
                GalaxyJson.Options
            );
            keys.UnionWith(page!.Entries.Select(entry => int.Parse(entry.Key, CultureInfo.InvariantCulture)));
            after = page.Next;
        } while (after is not null);
        return keys;
    }

    [Fact]
    public async Task A_node_starts_from_the_snapshot_before_a_damaged_one_says_so_and_catches_up()
    {
        using var client = galaxy.Client("coordinator-c");
        await PutAsync(client, "snapshots/before", "1");
        await SnapshotAsync(client);
        await PutAsync(client, "snapshots/between", "2");
        var newest = await SnapshotAsync(client);
        await galaxy.Host.StopAsync("coordinator-c");
        // The clean stop took another one: both are damaged.
        var folder = Path.Combine(galaxy.Data, "nodes", "coordinator-c", "state");
        foreach (
            var file in Directory
                .GetFiles(folder, "*.snapshot")
                .Where(file => string.CompareOrdinal(Path.GetFileNameWithoutExtension(file), newest.Name) >= 0)
        )
        {
            var bytes = await File.ReadAllBytesAsync(file);
            bytes[^7] ^= 1;
            await File.WriteAllBytesAsync(file, bytes);
        }
        await PutAsync(galaxy.Http, "snapshots/meanwhile", "3");
        galaxy.Host.Start("coordinator-c");

        using var again = galaxy.Client("coordinator-c");
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return await GetAsync(again, "snapshots/before") is not null
                    && await GetAsync(again, "snapshots/between") is not null
                    && await GetAsync(again, "snapshots/meanwhile") is not null;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        Assert.Contains(galaxy.Host.Output("coordinator-c"), line =>
            line.Contains(newest.Name + ".snapshot is damaged", StringComparison.Ordinal)
        );
        var list = await again.GetFromJsonAsync<List<SnapshotView>>("/api/v1/state/snapshots", GalaxyJson.Options);
        Assert.Contains(list!, snapshot => snapshot.Name == newest.Name && snapshot.Problem is not null);
    }

    private static async Task<SnapshotView> SnapshotAsync(HttpClient client)
    {
        using var answer = await client.PostAsync("/api/v1/state/snapshots", null);
        return (await answer.Content.ReadFromJsonAsync<SnapshotView>(GalaxyJson.Options))!;
    }

    [Fact]
    public async Task The_sync_status_says_that_every_peer_has_everything()
    {
        await PutAsync(galaxy.Http, "notes/sync", "1");

        await Eventually.TrueAsync(async () =>
            await galaxy.Http.GetFromJsonAsync<SyncStatus>("/api/v1/sync/status", GalaxyJson.Options)
                is { Peers.Count: 2 } status
            && status.Peers.All(peer =>
                peer is { LagWrites: 0, RttMs: not null, BytesSent: > 0 } && Math.Abs(peer.ClockOffsetMs!.Value) < 1000
            )
        );
    }
}
