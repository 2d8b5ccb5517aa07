using System.Globalization;
using System.Resources;
using Galaxy.Console.People;

namespace Galaxy.Console.Texts;

/// <summary>
/// The console's sentences in the viewer's language. Whole sentences stand in the pages, in English; the resource files
/// have their translations, and the English of what is no sentence. Both files are in this assembly: satellite
/// assemblies need cultures, which services here do without.
/// </summary>
public sealed class T(Viewer viewer)
{
    private static readonly ResourceManager English = new("Galaxy.Console.Texts.English", typeof(T).Assembly);
    private static readonly ResourceManager Chinese = new("Galaxy.Console.Texts.Chinese", typeof(T).Assembly);

    public string this[string english] =>
        (viewer.Language == Taste.Chinese ? Chinese.GetString(NameOf(english), CultureInfo.InvariantCulture) : null)
        ?? English.GetString(NameOf(english), CultureInfo.InvariantCulture)
        ?? english;

    public string this[string english, params object?[] values] =>
        string.Format(CultureInfo.InvariantCulture, this[english], values);

    // Names of resources do not tell cases apart.
    private static string NameOf(string english) =>
        english.Length > 0 && char.IsAsciiLetterLower(english[0]) ? "_" + english : english;
}
