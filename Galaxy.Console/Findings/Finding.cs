namespace Galaxy.Console.Findings;

/// <summary>A problem of the cluster, and its cure.</summary>
/// <param name="Kind"><c>good</c>, <c>info</c>, <c>warn</c> or <c>bad</c>.</param>
/// <param name="Title">A sentence of the pages, with places for <paramref name="Values"/>.</param>
/// <param name="Cure">What to do.</param>
/// <param name="Link">The page where it is done; null: there is none.</param>
public sealed record Finding(
    string Kind,
    string Title,
    string Cure,
    string? Link = null,
    params IReadOnlyList<object> Values
);
