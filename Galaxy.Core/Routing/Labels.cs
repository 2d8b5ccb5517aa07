namespace Galaxy.Core.Routing;

/// <summary>Labels as they are asked for: <c>name=value</c>, or <c>name</c> alone, separated by commas.</summary>
public static class Labels
{
    /// <summary>Null when it can be read; otherwise what is wrong.</summary>
    public static string? Complaint(string text)
    {
        foreach (var part in text.AsSpan().Split(','))
        {
            var label = text.AsSpan(part).Trim();
            if (label.IsEmpty || label[0] == '=')
                return $"'{text}' has a label without a name; write name=value, separated by commas";
        }
        return null;
    }

    /// <summary>Whether all that is asked for is there.</summary>
    public static bool Match(string? asked, IReadOnlyDictionary<string, string> labels)
    {
        if (string.IsNullOrEmpty(asked))
            return true;
        foreach (var part in asked.Split(',', StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? part : part[..equals];
            if (!labels.TryGetValue(name, out var value) || (equals >= 0 && value != part[(equals + 1)..]))
                return false;
        }
        return true;
    }
}
