using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests;

/// <summary>
/// What electors ask for, done in the virtual world as the coordinator's adapters do it in the real one.
/// </summary>
internal sealed partial class World
{
    public void Perform(SimNode node, ElectionEffect effect)
    {
        switch (effect)
        {
            case ElectionEffect.ReadLease:
                ReadLease(node, reading => new ElectionInput.LeaseRead(
                    reading.Lease,
                    reading.Release?.Successor,
                    reading.HighestToken
                ));
                break;
            case ElectionEffect.Acquire acquire:
                Attempt(node, acquire.MinToken, expected: null);
                break;
            case ElectionEffect.Seize seize:
                Attempt(node, seize.MinToken, seize.Expected);
                break;
            case ElectionEffect.Renew renew:
                Renew(node, renew.Lease);
                break;
            case ElectionEffect.Release release:
                Release(node, release);
                break;
            case ElectionEffect.BecameLeader became:
                Log?.Invoke($"{node.Name} leads under token {became.Lease.Token}");
                CheckNewLeader(node, became.Lease);
                WriteOn(node, became.Lease.Token);
                break;
            case ElectionEffect.SteppedDown down:
                Log?.Invoke($"{node.Name} stops leading under token {down.Token}: {down.Reason}");
                break;
            case ElectionEffect.LeaderChanged changed:
                if (changed.Leader is { } leader && leader.Boot != node.Boot)
                    Hold(node, leader);
                break;
            case ElectionEffect.Redial redial:
                Log?.Invoke($"{node.Name} calls {redial.Leader.Holder}, which hung up");
                Redial(node, redial.Leader, outcome =>
                    node.Deliver(node.Boot, new ElectionInput.Redialled(redial.Leader.Boot, outcome))
                );
                break;
            case ElectionEffect.AskWitnesses ask:
                AskWitnesses(node, ask.Leader);
                break;
        }
    }

    private void ReadLease(SimNode node, Func<LeaseReading, ElectionInput> then)
    {
        var boot = node.Boot;
        // A majority of readings is enough; which one differs from run to run.
        var minToken = node.State.MaxToken;
        _ = new StoreCall<LeaseReading>(
            this,
            node,
            store => Read(store, minToken),
            _ => true,
            (verdict, readings) =>
                node.Deliver(
                    boot,
                    verdict == Verdict.Yes
                        ? then(LeaseQuorum.Join([.. readings.Values], Stores.Count))
                        : new ElectionInput.StoreFailed()
                )
        );
    }

    private LeaseReading Read(SimStore store, long minToken)
    {
        var (next, reading) = Bug.Read(store.Register, Settings.Ttl, minToken, Stores.Count, Now);
        store.Set(next, Now);
        return reading;
    }

    private void Attempt(SimNode node, long minToken, LeaseRecord? expected)
    {
        var boot = node.Boot;
        var wanted = new LeaseRecord(node.Name, boot, 0, "", "", 0);
        if (Stores.Count == 1)
        {
            Propose(node, wanted, minToken, expected);
            return;
        }
        _ = new StoreCall<LeaseReading>(
            this,
            node,
            store => Read(store, minToken),
            _ => true,
            (verdict, readings) =>
            {
                if (verdict != Verdict.Yes)
                {
                    node.Deliver(boot, new ElectionInput.StoreFailed());
                    return;
                }
                var reading = LeaseQuorum.Join([.. readings.Values], Stores.Count);
                if (reading.Lease is { } held && (held.Boot != expected?.Boot || held.Token != expected.Token))
                    node.Deliver(boot, new ElectionInput.AcquireRefused(held, reading.HighestToken));
                else
                {
                    // A withdrawal of an earlier attempt may still be under way: no two attempts share a token.
                    node.Proposed = LeaseQuorum.NextToken(reading, Math.Max(minToken, node.Proposed));
                    Propose(node, wanted with { Token = node.Proposed }, minToken, expected);
                }
            }
        );
    }

    private void Propose(SimNode node, LeaseRecord wanted, long minToken, LeaseRecord? expected)
    {
        var (boot, sentAt, stores) = (node.Boot, node.Clock, Stores.Count);
        _ = new StoreCall<LeaseAnswer>(
            this,
            node,
            store =>
            {
                var (next, answer) = expected is null
                    ? Bug.Acquire(store.Register, wanted, Settings.Ttl, minToken, stores, Now)
                    : Bug.Seize(store.Register, wanted, expected, Settings.Ttl, minToken, stores, Now);
                store.Set(next, Now);
                if (answer.Granted)
                {
                    CheckGrant(store, answer.Token);
                    Publish(store, new ElectionInput.LookNow());
                    Granted(store);
                }
                return answer;
            },
            answer => answer.Granted,
            (verdict, answers) =>
            {
                var highest = answers.Values.Select(answer => answer.Token).DefaultIfEmpty(0).Max();
                if (verdict == Verdict.Yes)
                {
                    var lease = wanted with { Token = highest };
                    node.Deliver(
                        boot,
                        new ElectionInput.Acquired(lease, Bug.CountedFrom(sentAt, node.Clock, Settings))
                    );
                    return;
                }
                foreach (var store in Stores)
                {
                    Send(
                        node,
                        store,
                        s =>
                        {
                            s.Set(s.Register.GiveUp(boot, wanted.Token, null, TimeSpan.Zero, Now).Next, Now);
                            return true;
                        },
                        _ => { },
                        () => { }
                    );
                }
                node.Deliver(
                    boot,
                    verdict == Verdict.No
                        ? new ElectionInput.AcquireRefused(null, highest)
                        : new ElectionInput.StoreFailed()
                );
            }
        );
    }

    private void Renew(SimNode node, LeaseRecord lease)
    {
        var (boot, sentAt) = (node.Boot, node.Clock);
        _ = new StoreCall<bool>(
            this,
            node,
            store =>
            {
                var (next, done) = Bug.Renew(store.Register, lease, Settings.Ttl, Stores.Count, Now);
                store.Set(next, Now);
                return done;
            },
            done => done,
            (verdict, _) =>
                node.Deliver(
                    boot,
                    verdict switch
                    {
                        Verdict.Yes => new ElectionInput.Renewed(
                            lease.Token,
                            Bug.CountedFrom(sentAt, node.Clock, Settings)
                        ),
                        Verdict.No => new ElectionInput.RenewRefused(lease.Token),
                        _ => new ElectionInput.StoreFailed(),
                    }
                )
        );
    }

    private void Release(SimNode node, ElectionEffect.Release release)
    {
        var boot = node.Boot;
        var how = new LeaseRelease(release.Successor ?? "", node.Name, "manual", "");
        _ = new StoreCall<bool>(
            this,
            node,
            store =>
            {
                var (next, done) = store.Register.GiveUp(boot, release.Token, how, Settings.Reservation, Now);
                store.Set(next, Now);
                if (done)
                    Publish(store, new ElectionInput.Offered(release.Token, release.Successor ?? ""));
                return done;
            },
            done => done,
            (verdict, _) =>
                node.Deliver(
                    boot,
                    verdict == Verdict.Unreachable ? new ElectionInput.StoreFailed() : new ElectionInput.Released()
                )
        );
    }

    // A leader that writes: each write carries the token that it was begun under.
    private void WriteOn(SimNode node, long token)
    {
        var boot = node.Boot;
        At(TimeSpan.FromMilliseconds(20 + Random.Next(200)), Write);

        void Write()
        {
            if (!node.Runs || node.Boot != boot || node.State.Token != token)
                return;
            if (node.Stands)
            {
                At(node.PausedUntil - Now, Write);
                return;
            }
            if (!node.Leads)
                return;
            _sent.Add(token);
            Send(
                node,
                Stores[0],
                store => WriteTo(store, token),
                answer =>
                {
                    if (answer == WriteAnswer.Stale)
                        node.Deliver(boot, new ElectionInput.WriteWasStale(token));
                },
                () => { }
            );
            WriteOn(node, token);
        }
    }

    private WriteAnswer WriteTo(SimStore store, long token)
    {
        var (next, answer) = Bug.Write(store.Register, token);
        if (answer == WriteAnswer.Done)
            CheckWrite(store, token);
        store.Set(next, Now);
        return answer;
    }

    /// <summary>A follower's connection to the leader: it breaks when the process ends.</summary>
    private void Hold(SimNode node, LeaseRecord leader)
    {
        var peer = Nodes[leader.Holder[0] - 'a'];
        if (!Cut(node, peer) && (!peer.Runs || peer.Boot != leader.Boot))
            HangUp(node, leader.Boot);
    }

    private void HangUp(SimNode node, string boot)
    {
        var own = node.Boot;
        At(Delay(), () => node.Deliver(own, new ElectionInput.HungUp(boot)));
    }

    private void Redial(SimNode node, LeaseRecord leader, Action<RedialOutcome> then)
    {
        var peer = Nodes[leader.Holder[0] - 'a'];
        var boot = node.Boot;
        if (_rejects.Contains((node.Id, peer.Id)))
            Answer(Delay(), RedialOutcome.Gone);
        else if (Lost() || Cut(node, peer))
            Answer(Settings.RedialPatience, RedialOutcome.Silent);
        else if (!peer.Runs || peer.Boot != leader.Boot)
            Answer(Delay(), RedialOutcome.Gone);
        else
            Answer(
                peer.Stands ? Settings.RedialPatience : Delay(),
                peer.Stands ? RedialOutcome.Silent : RedialOutcome.Alive
            );

        void Answer(TimeSpan after, RedialOutcome outcome) => At(after, () =>
            {
                if (node.Runs && node.Boot == boot)
                    then(Bug.Judge(outcome));
            });
    }

    private void AskWitnesses(SimNode node, LeaseRecord leader)
    {
        var boot = node.Boot;
        var witnesses = Nodes.Where(peer => peer != node && peer.Name != leader.Holder).ToList();
        var confirmed = !Bug.AsksWitnesses;
        foreach (
            var witness in witnesses.Where(witness =>
                witness is { Runs: true, Stands: false } && !Cut(node, witness) && !Lost()
            )
        )
            At(Delay(), () =>
                Redial(witness, leader, outcome =>
                    At(Delay(), () => confirmed |= outcome == RedialOutcome.Gone && !Cut(node, witness))
                )
            );
        At(confirmed ? TimeSpan.Zero : TimeSpan.FromMilliseconds(12), () => Decide(Settings.RedialPatience * 2));

        void Decide(TimeSpan patience)
        {
            if (confirmed || patience <= TimeSpan.Zero)
                node.Deliver(boot, new ElectionInput.Witnessed(leader.Boot, confirmed));
            else
                At(TimeSpan.FromMilliseconds(20), () => Decide(patience - TimeSpan.FromMilliseconds(20)));
        }
    }
}
