using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Galaxy.ServiceDefaults.Input;

/// <summary>
/// Holds what is read to the contract's nullable annotations, lists and dictionaries included: a <c>null</c> where the
/// C# type says that there is none ends the reading with the field's path. Declared once by the types; no endpoint
/// checks it by hand.
/// </summary>
public static class ContractNulls
{
    /// <summary>A modifier for <see cref="DefaultJsonTypeInfoResolver"/>.</summary>
    public static void Refuse(JsonTypeInfo type)
    {
        if (
            type.Kind != JsonTypeInfoKind.Object
            || type.Type.Namespace?.StartsWith("Galaxy", StringComparison.Ordinal) != true
        )
            return;
        var checks = type.Properties.Select(Check).OfType<Action<object>>().ToArray();
        if (checks.Length == 0)
            return;
        var before = type.OnDeserialized;
        type.OnDeserialized = read =>
        {
            before?.Invoke(read);
            foreach (var check in checks)
                check(read);
        };
    }

    private static Action<object>? Check(JsonPropertyInfo property)
    {
        if (
            property is not { Get: { } get, AttributeProvider: PropertyInfo declared }
            || property.PropertyType.IsValueType
        )
            return null;
        // The context is not thread-safe; types are read once each.
        var nullability = new NullabilityInfoContext().Create(declared);
        var (name, required) = (
            property.Name,
            nullability.WriteState == NullabilityState.NotNull || nullability.ReadState == NullabilityState.NotNull
        );
        var elements = Elements(property.PropertyType, nullability);
        if (!required && !elements)
            return null;
        return read =>
        {
            var value = get(read);
            if (value is null && required)
                throw new JsonException($"'{name}' is required and cannot be null.");
            if (elements && value is not null)
                RefuseNullIn(name, value);
        };
    }

    // The last argument is what a list or a dictionary holds.
    private static bool Elements(Type type, NullabilityInfo nullability) =>
        typeof(IEnumerable).IsAssignableFrom(type)
        && (nullability.ElementType ?? nullability.GenericTypeArguments.LastOrDefault())
            is { ReadState: NullabilityState.NotNull, Type.IsValueType: false };

    private static void RefuseNullIn(string name, object value)
    {
        if (value is IDictionary dictionary)
        {
            foreach (DictionaryEntry entry in dictionary)
            {
                if (entry.Value is null)
                    throw new JsonException($"'{name}.{entry.Key}' cannot be null.");
            }
            return;
        }
        var index = 0;
        foreach (var element in (IEnumerable)value)
        {
            if (element is null)
                throw new JsonException($"'{name}[{index}]' cannot be null.");
            index++;
        }
    }
}
