using System.Text.RegularExpressions;
using Galaxy.Architecture.Tests.Deploy;

namespace Galaxy.Architecture.Tests;

/// <summary>What the documents say of the repository.</summary>
public partial class DocumentTests
{
    public static TheoryData<string> Documents =>
        [
            .. Directory
                .EnumerateFiles(Repository.Root, "*.md")
                .Concat(
                    Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
                )
                .Select(file => Path.GetRelativePath(Repository.Root, file))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_file_or_folder_that_a_document_names_is_there(string document)
    {
        var missing = NamedPath()
            .Matches(File.ReadAllText(Path.Combine(Repository.Root, document)))
            .Select(match => match.Value.TrimEnd('.', '/'))
            // What a build makes is not there in a fresh clone.
            .Where(path => !path.Contains("/bin/", StringComparison.Ordinal))
            .Where(path => !Path.Exists(Path.Combine(Repository.Root, path)));

        Assert.Empty(missing);
    }

    [GeneratedRegex(@"(?<![\w/])(Galaxy\.\w+|tests|bench|deploy)/[\w./-]+")]
    private static partial Regex NamedPath();
}
