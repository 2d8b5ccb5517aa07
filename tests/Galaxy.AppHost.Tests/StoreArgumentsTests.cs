using Galaxy.LocalHosting.Description;

namespace Galaxy.AppHost.Tests;

/// <summary>How the stores of a development system are started.</summary>
public class StoreArgumentsTests
{
    /// <summary>
    /// What a leader has acknowledged outlives the machine's power, and not only the store's process: no test can cut
    /// the power, so it looks at what the store is told.
    /// </summary>
    [Theory]
    [InlineData("--appendonly", "yes")]
    [InlineData("--appendfsync", "always")]
    [InlineData("--dir", "/data")]
    [InlineData("--bind", "127.0.0.1")]
    public void A_redis_server_answers_when_a_write_is_on_its_disk_and_to_this_machine_only(string name, string value)
    {
        var arguments = ServiceEnvironment.RedisServerArguments(6379, "/data");

        Assert.Equal(value, Assert.Single(arguments.Zip(arguments.Skip(1)), pair => pair.First == name).Second);
    }
}
