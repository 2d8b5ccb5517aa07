namespace Galaxy.Core.Routing;

/// <summary>One after another, by id.</summary>
internal sealed class RoundRobin : IRouteStrategy
{
    public string Name => "round_robin";

    public int Choose(Candidates candidates, in RouteQuery query, ReadOnlySpan<int> skip, Random random, TimeSpan now)
    {
        for (var tries = 0; tries < candidates.Count; tries++)
        {
            var turn = candidates.NextTurn();
            if (!skip.Contains(turn))
                return turn;
        }
        // Others took turns meanwhile.
        return RandomChoice.Any(candidates, skip, random);
    }

    public double Score(Candidates candidates, int index, in RouteQuery query, TimeSpan now) => 0;
}
