using System.Globalization;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Clocks;
using Galaxy.Core.Membership;
using Galaxy.Core.State;
using Google.Protobuf;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Tests.Gossip;

/// <summary>What arrives from other versions, and from nobody's version.</summary>
public class GossipWireTests
{
    private static Wire.Member Node =>
        new()
        {
            NodeId = "b",
            Boot = "boot",
            Incarnation = 3,
            State = "suspect",
            Role = "coordinator",
            Accusers = { "a", "c" },
        };

    private static StateEntry Entry(ConflictPolicy policy)
    {
        var map = new ReplicatedMap("n1");
        return map.Write("ns", "key", StateWrite.Of("""{"a":1}"""u8.ToArray(), policy, 5), 1000)!;
    }

    [Fact]
    public void A_message_of_the_version_before_is_understood()
    {
        // It knew neither versions nor accusers.
        var entry = new Wire.Entry
        {
            Namespace = "ns",
            Key = "k",
            Value = ByteString.CopyFromUtf8("v"),
            Dot = new Wire.Dot { Origin = "n1", Counter = 4 },
            HlcPhysicalMs = 7,
        };
        var read = Wire.Entry.Parser.ParseFrom(entry.ToByteArray()).FromWire()!;
        Assert.Equal(("ns", "k", new Dot("n1", 4)), (read.Namespace, read.Key, read.Latest.Dot));

        var member = Node;
        member.Accusers.Clear();
        Assert.Equal(MemberState.Suspect, member.ToClaim()!.Member.State);
        Assert.Empty(member.ToClaim()!.Accusers);
    }

    [Fact]
    public void Fields_kinds_and_policies_of_a_later_version_do_no_harm()
    {
        // Field 200, a string.
        byte[] unknown = [0xC2, 0x0C, 2, (byte)'h', (byte)'i'];
        Assert.Equal("b", Wire.Member.Parser.ParseFrom([.. Node.ToByteArray(), .. unknown]).ToClaim()!.Member.NodeId);
        Assert.Equal(["a", "c"], Node.ToClaim()!.Accusers);
        Assert.Equal(
            "key",
            Wire.Entry.Parser.ParseFrom([.. Entry(ConflictPolicy.Merge).ToWire().ToByteArray(), .. unknown])
                .FromWire()!
                .Key
        );

        Assert.Null(new Wire.Frame { Kind = (Wire.Frame.Types.Kind)77, Number = 1 }.FromWire());
        var later = Node;
        later.State = "hibernating";
        Assert.Null(later.ToClaim());

        var wire = Entry(ConflictPolicy.Manual).ToWire();
        wire.Versions[0].Policy = 99;
        Assert.Equal(ConflictPolicy.LastWriteWins, wire.FromWire()!.Versions[0].Policy);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a-name-that-is-longer-than-sixty-three-characters-which-is-what-a-name-may-have")]
    public void A_member_without_a_proper_name_is_none(string name)
    {
        var member = Node;
        member.NodeId = name;
        Assert.Null(member.ToClaim());
    }

    [Fact]
    public void Messages_survive_the_way_there_and_back()
    {
        SwimMessage[] messages =
        [
            new SwimMessage.Ping(1, []),
            new SwimMessage.Ack(2, []),
            new SwimMessage.Nack(3, []),
            new SwimMessage.Ask(4, "target", []),
            new SwimMessage.Tell([]),
        ];
        foreach (var message in messages)
        {
            var back = Wire.Frame.Parser.ParseFrom(message.ToWire().ToByteArray()).FromWire()!;
            Assert.Equal(
                (message.GetType(), message.Number, (message as SwimMessage.Ask)?.Target),
                (back.GetType(), back.Number, (back as SwimMessage.Ask)?.Target)
            );
        }
    }

    /// <summary><c>GALAXY_FUZZ=10000000</c> for the long run.</summary>
    [Fact]
    public void Damaged_messages_are_refused_and_never_break_anything()
    {
        var inputs = int.Parse(
            Environment.GetEnvironmentVariable("GALAXY_FUZZ") ?? "200000",
            CultureInfo.InvariantCulture
        );
        var ping = new SwimMessage.Ask(9, "target", [Node.ToClaim()!]).ToWire();
        var push = new Wire.PushRequest
        {
            Cluster = "c",
            From = "n1",
            Hops = 2,
            Told = { "x" },
            Pruned =
            {
                new Wire.Dot { Origin = "n1", Counter = 3 },
            },
        };
        foreach (var policy in Enum.GetValues<ConflictPolicy>())
            push.Entries.Add(Entry(policy).ToWire());
        byte[][] seeds = [ping.ToByteArray(), push.ToByteArray()];
        var random = new Random(1);
        var (map, understood) = (new ReplicatedMap("here"), 0);
        for (var i = 0; i < inputs; i++)
        {
            var input = Damaged(seeds[i % 2], random);
            try
            {
                if (i % 2 == 0)
                {
                    understood += Wire.Frame.Parser.ParseFrom(input).FromWire() is null ? 0 : 1;
                    continue;
                }
                var request = Wire.PushRequest.Parser.ParseFrom(input);
                // Not into the same map for ever: it would only grow.
                if (i % 1000 == 1)
                    map = new ReplicatedMap("here");
                map.ApplyDelta(
                    [.. request.Entries.Select(entry => entry.FromWire()).OfType<StateEntry>()],
                    VersionVector.Empty,
                    request.Pruned.ToVector()
                );
                foreach (var entry in map.All)
                    _ = entry.View;
                understood++;
            }
            catch (InvalidProtocolBufferException)
            {
                // Refused before anything of it was believed.
            }
        }
        Assert.InRange(understood, inputs / 10, inputs);
    }

    private static byte[] Damaged(byte[] message, Random random)
    {
        var bytes = message.ToArray();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes = bytes[..Math.Max(1, at)];
                    break;
                default:
                    bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]];
                    if (bytes.Length is 0 or > 4096)
                        bytes = message.ToArray();
                    break;
            }
        }
        return bytes;
    }
}
