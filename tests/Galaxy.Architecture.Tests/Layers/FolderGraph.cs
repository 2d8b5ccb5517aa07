using System.Text.RegularExpressions;
using Galaxy.Architecture.Tests.Deploy;
using Mono.Cecil;

namespace Galaxy.Architecture.Tests.Layers;

/// <summary>
/// Which folder of a project uses which, read from the compiled assembly and from the <c>using</c> lines of its sources
/// (a constant leaves no trace in the assembly). A folder is a namespace below the project's own.
/// </summary>
internal sealed partial class FolderGraph
{
    private readonly Dictionary<(string From, string To), SortedSet<string>> _uses = [];

    private FolderGraph(string project) => Project = project;

    public string Project { get; }

    /// <summary>
    /// Folder paths relative to the project, such as <c>Routing/Strategies</c>; the project's own folder is <c>""</c>.
    /// </summary>
    public SortedSet<string> Folders { get; } = new(StringComparer.Ordinal);

    /// <summary>From a folder to the one it uses, with examples: which type uses which.</summary>
    public IReadOnlyDictionary<(string From, string To), SortedSet<string>> Uses => _uses;

    public static FolderGraph Of(string project, string assembly)
    {
        var graph = new FolderGraph(project);
        graph.ReadAssembly(assembly);
        graph.ReadSources(Path.Combine(Repository.Root, project));
        return graph;
    }

    /// <summary>The same with one more use, for a test of the tests.</summary>
    public FolderGraph With(string from, string to)
    {
        var graph = new FolderGraph(Project);
        graph.Folders.UnionWith(Folders);
        foreach (var (folders, examples) in _uses)
            graph._uses.Add(folders, examples);
        graph.Add(from, to, "planted");
        return graph;
    }

    private void Add(string from, string to, string example)
    {
        if (from == to)
            return;
        // Generated code has namespaces without a folder.
        Folders.UnionWith([from, to]);
        if (!_uses.TryGetValue((from, to), out var examples))
            _uses[(from, to)] = examples = new(StringComparer.Ordinal);
        examples.Add(example);
    }

    private string? Folder(string? name) =>
        name == Project ? ""
        : name?.StartsWith(Project + ".", StringComparison.Ordinal) == true
            ? name[(Project.Length + 1)..].Replace('.', '/')
        : null;

    /// <summary>The C# files of a project folder, with the folder and the namespace of each.</summary>
    public static IEnumerable<(string File, string Folder, string Namespace, string Text)> Sources(string root) =>
        from file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(root, file).Replace('\\', '/')
        where !path.StartsWith("obj/", StringComparison.Ordinal) && !path.StartsWith("bin/", StringComparison.Ordinal)
        let text = File.ReadAllText(file)
        let name = NamespaceLine().Match(text)
        where name.Success
        select (path, Path.GetDirectoryName(path)!.Replace('\\', '/'), name.Groups[1].Value, text);

    private void ReadSources(string root)
    {
        foreach (var (file, folder, _, text) in Sources(root))
        {
            Folders.Add(folder);
            foreach (Match used in UsingLine().Matches(text))
            {
                // Also `using static Galaxy.X.Folder.Type` and `using Alias = Galaxy.X.Folder.Type`.
                var to = Folder(used.Groups[1].Value);
                while (to is { Length: > 0 } && !Directory.Exists(Path.Combine(root, to)))
                    to = Path.GetDirectoryName(to)!.Replace('\\', '/');
                if (to is not null)
                    Add(folder, to, $"{Path.GetFileName(file)}: using {used.Groups[1].Value}");
            }
        }
    }

    private void ReadAssembly(string path)
    {
        using var module = ModuleDefinition.ReadModule(path);
        foreach (var type in module.GetTypes())
        {
            var outer = Outermost(type);
            if (Folder(outer.Namespace) is not { } from)
                continue;
            foreach (var used in UsedBy(type).SelectMany(Parts))
                if (ReferenceEquals(used.Scope, module) && Folder(Outermost(used).Namespace) is { } to)
                    Add(from, to, $"{outer.Name} → {Outermost(used).Name}");
        }
    }

    private static TypeReference Outermost(TypeReference type)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        return type;
    }

    private static IEnumerable<TypeReference?> UsedBy(TypeDefinition type) =>
        [
            type.BaseType,
            .. type.Interfaces.Select(one => one.InterfaceType),
            .. type.CustomAttributes.Select(one => one.AttributeType),
            .. type.GenericParameters.SelectMany(one => one.Constraints).Select(one => one.ConstraintType),
            .. type.Fields.Select(one => one.FieldType),
            .. type.Properties.Select(one => one.PropertyType),
            .. type.Methods.SelectMany(UsedBy),
        ];

    private static IEnumerable<TypeReference?> UsedBy(MethodDefinition method)
    {
        foreach (var used in Signature(method).Concat(method.CustomAttributes.Select(one => one.AttributeType)))
            yield return used;
        if (!method.HasBody)
            yield break;
        foreach (var variable in method.Body.Variables)
            yield return variable.VariableType;
        foreach (var instruction in method.Body.Instructions)
        {
            var used = instruction.Operand switch
            {
                TypeReference type => [type],
                FieldReference field => [field.DeclaringType, field.FieldType],
                MethodReference called => Signature(called).Prepend(called.DeclaringType),
                _ => (IEnumerable<TypeReference?>)[],
            };
            foreach (var type in used)
                yield return type;
        }
    }

    private static IEnumerable<TypeReference?> Signature(MethodReference method) =>
        [
            method.ReturnType,
            .. method.Parameters.Select(one => one.ParameterType),
            .. (method as GenericInstanceMethod)?.GenericArguments ?? [],
        ];

    /// <summary>The type itself and those that it is made of: elements of arrays, arguments of generics.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference? type) =>
        type switch
        {
            null or GenericParameter => [],
            GenericInstanceType generic => generic.GenericArguments.Prepend(generic.ElementType).SelectMany(Parts),
            TypeSpecification wrapped => Parts(wrapped.ElementType),
            _ => [type],
        };

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^using (?:static )?(?:\w+ = )?(Galaxy[\w.]*);", RegexOptions.Multiline)]
    private static partial Regex UsingLine();
}
