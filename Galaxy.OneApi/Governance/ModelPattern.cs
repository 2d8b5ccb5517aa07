namespace Galaxy.OneApi.Governance;

internal static class ModelPattern
{
    /// <summary>* stands for any text.</summary>
    public static bool Matches(string pattern, string id) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, id, ignoreCase: true);
}
