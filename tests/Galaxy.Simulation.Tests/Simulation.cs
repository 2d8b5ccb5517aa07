namespace Galaxy.Simulation.Tests;

/// <summary>Runs plans; when one fails, looks for the smallest part of it that still does.</summary>
internal static class Simulation
{
    /// <summary>After the trouble is over a leader must be there within two leases and a silent store's wait.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(20);

    /// <summary>Null: all is well. Otherwise what is wrong.</summary>
    /// <param name="log">Gets a line for each change of leader.</param>
    public static string? Run(Plan plan, Bug bug, List<string>? log = null)
    {
        var world = new World(plan, bug);
        if (log is not null)
            world.Log = line => log.Add($"{world.Now.TotalSeconds, 7:0.000} s  {line}");
        try
        {
            world.Run(Plan.Trouble + TimeSpan.FromSeconds(6));
            world.Heal();
            world.Run(Plan.Trouble + Calm);
        }
        catch (BrokenInvariantException broken)
        {
            return broken.Message;
        }
        var leaders = world.Nodes.Count(node => node.Leads);
        return leaders == 1 ? null : $"{leaders} leaders {Calm.TotalSeconds:0} s after the trouble ended";
    }

    /// <summary>Takes faults away, one at a time, as long as what is left still fails.</summary>
    public static Plan Shrink(Plan plan, Bug bug)
    {
        for (var smaller = true; smaller; )
        {
            smaller = false;
            for (var i = plan.Faults.Count - 1; i >= 0; i--)
            {
                var less = plan with { Faults = [.. plan.Faults.Where((_, index) => index != i)] };
                if (Run(less, bug) is null)
                    continue;
                plan = less;
                smaller = true;
            }
        }
        return plan;
    }

    /// <summary>What a failing seed prints: one line that replays it, and the faults that matter.</summary>
    public static string Explain(int seed, string wrong, Bug bug)
    {
        var shrunk = Shrink(Plan.Random(seed), bug);
        var log = new List<string>();
        return $"""
            {wrong}
            replay: GALAXY_SEED={seed} dotnet test --project tests/Galaxy.Simulation.Tests
            {shrunk.Nodes} nodes, {shrunk.Stores} stores; what it takes:
            {string.Join('\n', shrunk.Faults)}
            then: {Run(shrunk, bug, log)}
            {string.Join('\n', log.TakeLast(20))}
            """;
    }
}
