namespace Galaxy.Console.Cluster;

/// <summary>What a service of the cluster answered.</summary>
/// <param name="Problem">In the service's own words; null: it was done.</param>
/// <param name="Status">HTTP's; 0: no answer came.</param>
/// <param name="Link">The address of the next page; null: this was the last.</param>
public sealed record Answer<T>(T? Value, string? Problem, int Status, string? Link = null)
{
    public bool IsDone => Problem is null;
}
