namespace Galaxy.Bench.Tasks;

internal sealed record IdleResult(int Sockets, double ResidentKib, double PrivateKib);

/// <summary>What a connected worker costs that has nothing to do.</summary>
internal static class IdleSockets
{
    public static async Task<IdleResult> MeasureAsync(int sockets)
    {
        await using var leader = await OneLeader.StartAsync("galaxy");
        using var end = new CancellationTokenSource();
        var seen = new Seen();
        var first = Enumerable
            .Range(0, 200)
            .Select(i => new BenchWorker(OneLeader.Sockets, OneLeader.Key, $"first{i}", 4, seen))
            .ToList();
        foreach (var worker in first)
            await worker.StartAsync(end.Token);
        await Task.Delay(TimeSpan.FromSeconds(5));
        var before = leader.Memory;
        List<BenchWorker> workers;
        try
        {
            workers = await OneLeader.WorkersAsync(sockets, 4, seen, end.Token);
        }
        catch (System.Net.WebSockets.WebSocketException)
        {
            Console.WriteLine(string.Join('\n', leader.Coordinator.Lines));
            throw;
        }
        await Task.Delay(TimeSpan.FromSeconds(30));
        var after = leader.Memory;
        await end.CancelAsync();
        foreach (var worker in first.Concat(workers))
            await worker.DisposeAsync();
        return new IdleResult(
            sockets,
            (after.Resident - before.Resident) / sockets,
            (after.Private - before.Private) / sockets
        );
    }
}
