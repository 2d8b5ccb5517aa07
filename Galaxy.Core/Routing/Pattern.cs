namespace Galaxy.Core.Routing;

/// <summary>Texts in which <c>*</c> stands for any letters, also none.</summary>
internal static class Pattern
{
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        // Where to go on when the last star has to take one letter more.
        var (starAt, takenTo) = (-1, 0);
        var (p, t) = (0, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
                (starAt, takenTo) = (p++, t);
            else if (p < pattern.Length && pattern[p] == text[t])
                (p, t) = (p + 1, t + 1);
            else if (starAt >= 0)
                (p, t) = (starAt + 1, ++takenTo);
            else
                return false;
        }
        return pattern[p..].TrimStart('*').IsEmpty;
    }
}
