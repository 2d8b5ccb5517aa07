namespace Galaxy.LocalHosting.Description;

/// <summary>The checkout that a built program belongs to.</summary>
public static class Repository
{
    /// <summary>The nearest folder above that holds <c>Galaxy.sln</c>; null: there is none.</summary>
    public static string? FindAbove(string folder)
    {
        for (var above = new DirectoryInfo(folder); above is not null; above = above.Parent)
        {
            if (File.Exists(Path.Combine(above.FullName, "Galaxy.sln")))
                return above.FullName;
        }
        return null;
    }
}
