using System.Text;
using Galaxy.Core.Clocks;
using Galaxy.Core.Gossip;
using Galaxy.Core.State;

namespace Galaxy.Simulation.Tests.Gossip;

public class ThousandNodesTests
{
    private const int Nodes = 1000;
    private const double Loss = 0.1;

    /// <summary>Rounds are one hop's time long; a message arrives in the next one or never.</summary>
    [Fact]
    public void With_a_tenth_of_all_messages_lost_a_write_is_on_every_one_of_a_thousand_nodes_within_ten_hops()
    {
        var random = new Random(1);
        var runs = Enumerable.Range(0, 20).Select(_ => Spread(random)).ToList();
        TestContext.Current.SendDiagnosticMessage(
            $"hops until all have it: {string.Join(' ', runs.Select(run => run.Hops))}; messages per node "
                + $"{runs.Average(run => run.Messages) / Nodes:0.0}"
        );

        Assert.All(runs, run => Assert.InRange(run.Hops, 1, 10));
        // Each node tells three peers in each round until the rumor is ten rounds old: that is the most it may cost.
        Assert.All(runs, run => Assert.InRange(run.Messages, Nodes, Nodes * 3 * 10));
    }

    private static (int Hops, int Messages) Spread(Random random)
    {
        var names = Enumerable.Range(0, Nodes).Select(i => "n" + i).ToArray();
        var maps = names.ToDictionary(name => name, name => new ReplicatedMap(name));
        var mills = names.ToDictionary(name => name, name => new RumorMill(new RumorSettings(), random));
        var id = new EntryId("ns", "k");
        maps["n0"].Put("ns", "k", Encoding.UTF8.GetBytes("v"), 1);
        mills["n0"].Tell(id, 0, [], default);
        var (reached, messages, allAt) = (1, 0, 0);
        for (var hop = 1; mills.Values.Any(mill => mill.IsBusy); hop++)
        {
            Assert.InRange(hop, 1, 20);
            var sent = names
                .SelectMany(name =>
                    mills[name]
                        .Round([.. names.Where(other => other != name)], TimeSpan.FromDays(hop))
                        .Select(batch => (From: name, batch))
                )
                .ToList();
            messages += sent.Count;
            foreach (var (from, batch) in sent.Where(_ => random.NextDouble() >= Loss))
            {
                if (maps[batch.Peer].Apply(maps[from].Find(id)!, VersionVector.Empty))
                {
                    mills[batch.Peer].Tell(id, batch.Hops, [from, .. batch.Told], default);
                    if (++reached == Nodes)
                        allAt = hop;
                }
            }
        }
        return (allAt == 0 ? 99 : allAt, messages);
    }

    [Fact]
    public void A_thousand_nodes_that_were_partitioned_are_equal_after_anti_entropy()
    {
        var random = new Random(2);
        var maps = Enumerable.Range(0, Nodes).Select(i => new ReplicatedMap("n" + i)).ToArray();
        for (var i = 0; i < 100; i++)
            maps[random.Next(Nodes)]
                .Put("ns", "k" + random.Next(30), Encoding.UTF8.GetBytes($"v{i}"), random.Next(1000));
        // Two halves, each by itself, then together: random pairs, as the protocol chooses them.
        var rounds = 0;
        while (maps.Select(map => map.Summary).Any(summary => !summary.Equals(maps[0].Summary)))
        {
            Assert.InRange(rounds++, 0, 60);
            for (var i = 0; i < Nodes; i++)
            {
                var peer = rounds <= 10 ? (i / 500 * 500) + random.Next(500) : random.Next(Nodes);
                var (entries, reaches) = maps[peer].DeltaFor(maps[i].Summary, int.MaxValue)!.Value;
                maps[i].ApplyDelta(entries, reaches, VersionVector.Empty);
            }
        }
        TestContext.Current.SendDiagnosticMessage($"equal after {rounds - 10} rounds together");
        var bytes = maps.Select(map =>
                string.Join(
                    '\n',
                    map.All.Select(entry =>
                        $"{entry.Key} {string.Join(';', entry.Versions.Select(v => $"{v.Dot} {v.Time} {Encoding.UTF8.GetString(v.Value.Span)}"))}"
                    )
                )
            )
            .Distinct();

        Assert.Single(bytes);
    }

    [Fact]
    public void Two_states_of_ten_thousand_entries_that_differ_in_ten_exchange_at_most_twenty_entries_worth()
    {
        var (a, b) = (new ReplicatedMap("a"), new ReplicatedMap("b"));
        for (var i = 0; i < 10_000; i++)
            a.Put("ns", $"key-{i:D5}", Encoding.UTF8.GetBytes($"a value of usual size, number {i:D5}"), i);
        var (all, reaches) = a.DeltaFor(b.Summary, int.MaxValue)!.Value;
        b.ApplyDelta(all, reaches, VersionVector.Empty);
        for (var i = 0; i < 5; i++)
        {
            a.Put("ns", $"key-{i:D5}", Encoding.UTF8.GetBytes($"changed here to something, no. {i:D5}"), 20_000 + i);
            b.Put(
                "ns",
                $"key-{i + 100:D5}",
                Encoding.UTF8.GetBytes($"changed there to something no. {i:D5}"),
                20_000 + i
            );
        }
        var entry = a.All.First().ApproximateSize;

        var (toB, _) = a.DeltaFor(b.Summary, int.MaxValue)!.Value;
        var (toA, _) = b.DeltaFor(a.Summary, int.MaxValue)!.Value;
        var bytes = toA.Concat(toB).Sum(sent => sent.ApproximateSize);

        Assert.Equal((5, 5), (toA.Count, toB.Count));
        Assert.InRange(bytes, 0, 20 * entry);
    }
}
