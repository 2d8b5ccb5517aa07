using System.Text.Json.Nodes;

namespace Galaxy.Contracts.Api;

/// <summary>
/// A configuration document. Secrets are shown as hints such as <c>sk-…1a2b</c>; a hint that is sent back keeps the
/// secret.
/// </summary>
/// <param name="Node">The node whose override this is; null: every node's.</param>
/// <param name="Section">Where services find it in their configuration.</param>
/// <param name="Value">Null: not set.</param>
/// <param name="Etag">For <c>If-Match</c>; null: not set.</param>
public sealed record ConfigView(
    string Name,
    string? Node,
    string Description,
    string Section,
    JsonNode? Value,
    string? Etag,
    DateTimeOffset? UpdatedAt,
    bool Contested
);

/// <summary>A version of a document, newest first in lists.</summary>
/// <param name="Change"><c>set</c>, <c>patch</c>, <c>delete</c> or <c>rollback</c>.</param>
/// <param name="By">Where the change came from.</param>
public sealed record ConfigVersion(string Version, DateTimeOffset At, string By, string Change, JsonNode? Value);

/// <summary>A place that differs between two versions.</summary>
/// <param name="Path">A JSON pointer.</param>
public sealed record ConfigDifference(string Path, JsonNode? From, JsonNode? To);
