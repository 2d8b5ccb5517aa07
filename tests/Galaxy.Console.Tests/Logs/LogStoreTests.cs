using Galaxy.Console.Logs;

namespace Galaxy.Console.Tests.Logs;

public sealed class LogStoreTests
{
    private static LogView Log(string level, string message, string service = "a", string trace = "") =>
        new(DateTimeOffset.UnixEpoch, level, service, "", message, trace, "", new Dictionary<string, string>());

    [Fact]
    public void The_newest_come_first_and_filters_hold()
    {
        var store = new LogStore();
        store.Add([Log("info", "one"), Log("error", "two", "b", "t1"), Log("debug", "three")]);
        Assert.Equal(["three", "two", "one"], store.List(10, new LogQuery()).Select(log => log.Message));
        Assert.Equal(["two", "one"], store.List(10, new LogQuery("info")).Select(log => log.Message));
        Assert.Equal(["two"], store.List(10, new LogQuery(Service: "b")).Select(log => log.Message));
        Assert.Equal(["two"], store.List(10, new LogQuery(TraceId: "t1")).Select(log => log.Message));
        Assert.Equal(["three"], store.List(10, new LogQuery(Text: "THR")).Select(log => log.Message));
        Assert.Equal(["a", "b"], store.Services);
    }

    [Fact]
    public void Neither_many_records_nor_long_ones_fill_the_memory()
    {
        var store = new LogStore();
        store.Add(Enumerable.Range(0, LogStore.MostRecords + 5).Select(i => Log("info", $"{i}", i < 5 ? "gone" : "a")));
        Assert.Equal(LogStore.MostRecords, store.List(int.MaxValue, new LogQuery()).Count);
        Assert.Equal(["a"], store.Services);
        var text = new string('x', 1_000_000);
        store.Add(Enumerable.Range(0, 50).Select(_ => Log("info", text)));
        Assert.InRange(store.List(int.MaxValue, new LogQuery()).Count, 10, 20);
    }

    [Theory]
    [InlineData(1, "", "trace")]
    [InlineData(9, "", "info")]
    [InlineData(13, "whatever", "warn")]
    [InlineData(24, "", "fatal")]
    [InlineData(0, "Warning", "warn")]
    [InlineData(0, "", "info")]
    [InlineData(99, "ERROR", "error")]
    public void Levels_come_from_numbers_and_otherwise_from_texts(int number, string text, string level) =>
        Assert.Equal(level, LogLevels.Name(number, text));
}
