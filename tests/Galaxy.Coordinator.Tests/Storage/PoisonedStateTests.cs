using System.Text;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Groups;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tests.State;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Tests.Storage;

/// <summary>Replicated records that a version with a defect wrote: each reader goes on with the others.</summary>
public sealed class PoisonedStateTests : IDisposable
{
    private static readonly string[] Poison =
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        "\"text\"",
        "\u0000",
        "\uFEFF",
        "[null]",
        "{\"device_id\":null}",
        "{\"tags\":[null]}",
        "{\"name\":\"\\ud800\"}",
        "{\"a\":1,\"a\":2}",
        "{\"\\udc00\":1}",
        "{\"slots\":1e999}",
        "{\"devices\":[[]]}",
        "{\"device_id\":\"x\",\"capabilities\":[null]}",
        "{\"device_id\":\"x\",\"last_seen\":\"never\"}",
        new string('[', 64) + new string(']', 64),
        new string('[', 20_000) + new string(']', 20_000),
    ];

    private readonly WatchedNode _node = new();
    private readonly Quarantine _quarantine = Quarantines.New();

    public void Dispose() => _node.Dispose();

    [Fact]
    public void Devices_and_groups_that_can_be_read_are_there_and_the_others_are_set_aside()
    {
        var (devices, groups) = (
            new DeviceRegistry(_node.Replica, _quarantine),
            new GroupRegistry(_node.Replica, _quarantine)
        );
        devices.Put(new DeviceView { DeviceId = "good", DeviceName = "good" });
        groups.Put("good", "good", ["a"]);
        Spoil(Namespaces.Devices);
        Spoil(Namespaces.Groups);

        Assert.Contains(devices.List(), device => device.DeviceId == "good");
        Assert.Contains(groups.List(), group => group.GroupId == "good");
        // What is read can be shown.
        JsonSerializer.Serialize(devices.List(), GalaxyJson.Options);
        JsonSerializer.Serialize(groups.List(), GalaxyJson.Options);
        Assert.InRange(_quarantine.List().Count, Poison.Length, 2 * Poison.Length);

        // An operator's delete works on what cannot be read, too.
        Assert.True(devices.Remove("bad-1"));
        Assert.True(groups.Remove("bad-1"));
    }

    [Fact]
    public void The_failover_settings_are_those_that_were_configured_while_the_stored_ones_cannot_be_read()
    {
        var store = new FailoverStore(
            _node.Replica,
            _quarantine,
            new NodeOptions { NodeId = "n1", FailoverPrimary = "n1" },
            TimeProvider.System
        );
        foreach (var poison in Poison)
        {
            _node.Put(Namespaces.Failover, "settings", poison);
            _node.Put(Namespaces.Failover, "failed/x", poison);
            _node.Put(Namespaces.Failover, "losses/x", poison);

            Assert.NotNull(store.Settings);
            Assert.NotNull(store.Failed);
            Assert.NotNull(store.LossesOf("x"));
            store.AddLoss("x");
            Assert.NotEmpty(store.LossesOf("x"));
        }
    }

    [Fact]
    public void Whatever_is_stored_as_a_value_can_be_shown()
    {
        Spoil("of a user");
        foreach (var entry in _node.Replica.List("of a user"))
            JsonSerializer.Serialize(new { entries = new[] { entry.ToView() } }, GalaxyJson.Options);
    }

    private void Spoil(string ns)
    {
        for (var i = 0; i < Poison.Length; i++)
            _node.Replica.Put(ns, $"bad-{i}", Encoding.UTF8.GetBytes(Poison[i]));
        _node.Replica.Put(ns, "bad-bytes", new byte[] { 0xFF, 0xFE, 0x00, 0x80 });
    }
}
