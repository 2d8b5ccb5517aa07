using Galaxy.Discovery.Roads;

namespace Galaxy.Discovery.Tests.Roads;

public sealed class RoadTests
{
    [Fact]
    public void The_last_five_hundred_and_twelve_packets_of_ours_are_known_again()
    {
        var own = new OwnPackets();
        for (var i = 0; i < 512; i++)
            own.Sent(BitConverter.GetBytes(i));
        // The same again takes no other's place.
        own.Sent(BitConverter.GetBytes(511));
        Assert.True(own.Contains(BitConverter.GetBytes(0)));

        own.Sent(BitConverter.GetBytes(512));

        Assert.False(own.Contains(BitConverter.GetBytes(0)));
        Assert.True(own.Contains(BitConverter.GetBytes(1)));
        Assert.True(own.Contains(BitConverter.GetBytes(512)));
    }

    [Fact]
    public void Reasons_are_counted_each_and_beyond_sixty_four_together()
    {
        var status = new RoadStatus("udp", enabled: true);
        for (var i = 0; i < 70; i++)
            status.Reject($"reason {i}");
        status.Reject("reason 0");

        Assert.Equal(65, status.Rejected.Count);
        Assert.Equal((2, 6), (status.Rejected["reason 0"], status.Rejected["other"]));
    }
}
