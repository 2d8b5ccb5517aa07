using System.Globalization;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>What a watcher of the replicated state is told, however often its connection ends.</summary>
public sealed class StateWatchTests : IDisposable
{
    private readonly WatchedNode _node = new();

    public void Dispose() => _node.Dispose();

    private static string Name(int number) => number.ToString("D3", CultureInfo.InvariantCulture);

    private void Fill(int entries)
    {
        for (var i = 0; i < entries; i++)
            _node.Put("a", Name(i), "0");
    }

    private static void ChangeOne(WatchedNode node, string key, Random random)
    {
        if (random.Next(5) == 0)
            node.Delete("a", key);
        else
            node.Put("a", key, random.Next().ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Keys change several times, some of them go, and others change elsewhere.</summary>
    private void Change(int changes, Random random)
    {
        for (var i = 1; i <= changes; i++)
        {
            ChangeOne(_node, Name(random.Next(40)), random);
            if (i % 3 == 0)
                _node.Put("b", Name(i), "0");
        }
    }

    private async Task<List<string>> FirstEventsAsync(string? lastEventId, int count)
    {
        var watch = new StateWatch(_node.Feed, _node.Replica, _node.Time, "a", "");
        await using var events = watch.FollowAsync(lastEventId, default, default).GetAsyncEnumerator();
        var types = new List<string>();
        while (types.Count < count && await events.MoveNextAsync())
            types.Add(events.Current.EventType);
        return types;
    }

    [Fact]
    public async Task A_watcher_that_reconnects_after_every_1_to_20_events_loses_nothing()
    {
        for (var eventsPerConnection = 1; eventsPerConnection <= 20; eventsPerConnection++)
        {
            using var node = new WatchedNode();
            var watcher = new ResumingWatcher("a");
            var random = new Random(eventsPerConnection);
            // Changes come between connections, while the initial entries are told, and while a batch of changes is.
            for (var round = 0; round < 300; round++)
            {
                ChangeSome();
                await watcher.ReadAsync(node, eventsPerConnection, ChangeSome);
            }
            await watcher.CatchUpAsync(node, eventsPerConnection);

            Assert.Equal(node.Listed("a"), watcher.Map);
            Assert.Single(watcher.Events, item => item.EventType == "begin");

            void ChangeSome()
            {
                for (var i = random.Next(3); i > 0; i--)
                    ChangeOne(node, Name(random.Next(60)), random);
            }
        }
    }

    [Fact]
    public async Task Resuming_after_any_event_goes_on_exactly_after_it()
    {
        Fill(30);
        var first = new ResumingWatcher("a");
        await first.ReadAsync(_node, 15);
        Change(100, new Random(1));
        await first.CatchUpAsync(_node, int.MaxValue);
        Change(100, new Random(2));
        await first.CatchUpAsync(_node, int.MaxValue);
        var listed = _node.Listed("a");
        Assert.Equal(listed, first.Map);

        for (var index = 1; index <= first.Events.Count; index++)
        {
            var watcher = first.After(index);
            await watcher.CatchUpAsync(_node, int.MaxValue);

            Assert.Equal(listed, watcher.Map);
            Assert.DoesNotContain(watcher.Events.Skip(index), item => item.EventType == "begin");
        }
    }

    [Fact]
    public async Task A_key_that_changes_often_is_told_once_with_its_last_value()
    {
        var watcher = new ResumingWatcher("a");
        await watcher.CatchUpAsync(_node, int.MaxValue);
        _node.Put("a", "x", "1");
        _node.Put("a", "y", "1");
        _node.Put("a", "x", "2");
        var seen = watcher.Events.Count;

        await watcher.CatchUpAsync(_node, int.MaxValue);

        var changes = watcher.Events.Skip(seen).Where(item => item.EventType == "change").Select(item => item.Data!);
        Assert.Equal(["y=1", "x=2"], changes.Select(change => $"{change.Key}={change.Entry!.Value}"));
    }

    [Fact]
    public async Task At_another_coordinator_a_watcher_begins_anew_and_learns_what_was_deleted_meanwhile()
    {
        Fill(30);
        var watcher = new ResumingWatcher("a");
        // It is cut off in the middle of the first entries once, and in the middle of those of the second node.
        await watcher.ReadAsync(_node, 10);
        using var second = new WatchedNode();
        using var third = new WatchedNode();
        foreach (var node in new[] { second, third })
        {
            for (var i = 5; i < 40; i++)
                node.Put("a", Name(i), "1");
        }
        await watcher.ReadAsync(second, 20);
        third.Delete("a", Name(10));

        await watcher.CatchUpAsync(third, 3);

        Assert.Equal(third.Listed("a"), watcher.Map);
        Assert.Equal(3, watcher.Events.Count(item => item.EventType == "begin"));
    }

    [Fact]
    public async Task A_resume_with_nothing_new_is_answered_at_once()
    {
        Fill(3);
        var watcher = new ResumingWatcher("a");
        await watcher.CatchUpAsync(_node, int.MaxValue);
        var position = watcher.LastEventId;
        await using var events = watcher.Open(_node, CancellationToken.None);

        var next = events.MoveNextAsync();

        Assert.True(next.IsCompleted, "the first event waits");
        Assert.True(await next);
        Assert.Equal(("alive", position), (events.Current.EventType, events.Current.EventId));
    }

    [Fact]
    public async Task A_filtered_watch_is_kept_alive_while_other_namespaces_change()
    {
        using var closed = new CancellationTokenSource();
        var watcher = new ResumingWatcher("a");
        await using var events = watcher.Open(_node, closed.Token);
        Assert.Equal(("begin", "ready"), (await NextAsync(), await NextAsync()));

        for (var round = 1; round <= 3; round++)
        {
            var next = events.MoveNextAsync().AsTask();
            await _node.Time.WaitBegunAsync();
            for (var second = 1; second < StateWatch.KeepAliveInterval.TotalSeconds; second++)
            {
                _node.Time.Advance(TimeSpan.FromSeconds(1));
                _node.Put("b", "k", "0");
                // The watcher has seen the change that is not for it, and waits again.
                await _node.Time.WaitBegunAsync();
                Assert.False(next.IsCompleted, $"told after {second} s");
            }
            _node.Time.Advance(TimeSpan.FromSeconds(1));

            Assert.True(await next);
            Assert.Equal(("alive", $"{_node.Boot}:{round * 14}"), (events.Current.EventType, events.Current.EventId));
        }
        await closed.CancelAsync();

        async Task<string> NextAsync() => await events.MoveNextAsync() ? events.Current.EventType : "";
    }

    [Fact]
    public async Task A_filtered_watch_does_not_fall_behind_when_much_changes_elsewhere()
    {
        var watcher = new ResumingWatcher("a");
        await watcher.CatchUpAsync(_node, int.MaxValue);
        using var closed = new CancellationTokenSource();
        await using var events = watcher.Open(_node, closed.Token);
        Assert.True(await events.MoveNextAsync());
        for (var written = 0; written < 3 * StateFeed.Capacity; written += StateWatch.MaxUntoldChanges)
        {
            var next = events.MoveNextAsync();
            for (var i = 0; i < StateWatch.MaxUntoldChanges; i++)
                _node.Put("b", "k", "0");
            Assert.True(await next);
            watcher.Take(events.Current);
            Assert.Equal("alive", events.Current.EventType);
        }
        await closed.CancelAsync();
        _node.Put("a", "x", "1");

        Assert.Equal(["change"], await FirstEventsAsync(watcher.LastEventId, 1));
    }

    [Fact]
    public async Task A_watcher_that_was_away_for_longer_than_changes_are_kept_begins_anew()
    {
        Fill(2);
        var watcher = new ResumingWatcher("a");
        await watcher.CatchUpAsync(_node, int.MaxValue);
        _node.Delete("a", Name(0));
        for (var i = 0; i <= StateFeed.Capacity; i++)
            _node.Put("b", "k", "0");

        await watcher.CatchUpAsync(_node, 1);

        Assert.Equal(_node.Listed("a"), watcher.Map);
        Assert.Equal(2, watcher.Events.Count(item => item.EventType == "begin"));
    }

    [Fact]
    public async Task An_entry_whose_time_to_live_is_over_is_told_as_gone()
    {
        var watcher = new ResumingWatcher("metrics");
        _node.Put("metrics", "x", "1");
        await watcher.CatchUpAsync(_node, int.MaxValue);
        Assert.Single(watcher.Map);

        _node.Time.Advance(Ttl.Default + TimeSpan.FromSeconds(1));
        _node.Replica.Sweep(stable: null, _ => false);
        await watcher.CatchUpAsync(_node, int.MaxValue);

        Assert.Empty(watcher.Map);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("nonsense")]
    [InlineData("another:1")]
    [InlineData("BOOT")]
    [InlineData("BOOT:")]
    [InlineData("BOOT:x")]
    [InlineData("BOOT:-1")]
    [InlineData("BOOT:-1:")]
    [InlineData("BOOT:+1")]
    [InlineData("BOOT: 1")]
    [InlineData("BOOT:1.5")]
    [InlineData("BOOT:4")]
    [InlineData("BOOT:4:a/x")]
    [InlineData("BOOT:9223372036854775807")]
    [InlineData("BOOT:99999999999999999999999999999999")]
    [InlineData("BOOT:1:%")]
    [InlineData("BOOT:1:a/b/c")]
    [InlineData("BOOT:1,BOOT:2")]
    public async Task An_id_that_names_no_known_position_begins_anew(string? id)
    {
        Fill(3);

        var events = await FirstEventsAsync(id?.Replace("BOOT", _node.Boot, StringComparison.Ordinal), 5);

        Assert.Equal(["begin", "state", "state", "state", "ready"], events);
    }

    [Theory]
    [InlineData("a", "plain")]
    [InlineData("a", "with/slash:colon and space%2F")]
    [InlineData("a", "日本語-ключ-🌌")]
    [InlineData("a", "line\u2028break")]
    public void A_position_reads_as_it_was_written_whatever_the_key(string ns, string key)
    {
        var position = new WatchPosition(long.MaxValue, new(ns, key));

        var text = position.Format("boot");

        Assert.All(text, letter => Assert.InRange(letter, '!', '~'));
        Assert.Equal(position, WatchPosition.Parse(text, "boot"));
        Assert.Null(WatchPosition.Parse(text, "other"));
    }
}
