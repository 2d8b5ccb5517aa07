namespace Galaxy.Architecture.Tests.Deploy;

/// <summary>The files of the repository that this test was built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Read(params string[] path) => File.ReadAllText(Path.Combine([Root, .. path]));

    private static string Find()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Galaxy.sln")))
            root = Path.GetDirectoryName(root)
                ?? throw new InvalidOperationException("not started within the repository");
        return root;
    }
}
