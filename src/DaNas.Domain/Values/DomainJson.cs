using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace DaNas.Domain.Values;

/// <summary>JSON for values: lists as arrays, digests as text, enums by name; canonical where a hash is taken of it.</summary>
public static class DomainJson
{
    /// <summary>What is stored and sent.</summary>
    public static JsonSerializerOptions Stored { get; } = Options(false);

    /// <summary>What is hashed: the same, less everything outside the decision.</summary>
    public static JsonSerializerOptions Canonical { get; } = Options(true);

    private static JsonSerializerOptions Options(bool decisionOnly)
    {
        DefaultJsonTypeInfoResolver resolver = new();
        if (decisionOnly)
            resolver.Modifiers.Add(RemoveOutsideDecision);
        JsonSerializerOptions options = new()
        {
            TypeInfoResolver = resolver,
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectRequiredConstructorParameters = true,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
            Converters = { new ValueListConverterFactory(), new DigestConverter(), new SearchIdConverter(), new JsonStringEnumConverter() },
        };
        options.MakeReadOnly();
        return options;
    }

    private static void RemoveOutsideDecision(JsonTypeInfo type)
    {
        for (int i = type.Properties.Count - 1; i >= 0; i--)
        {
            if (typeof(IOutsideDecision).IsAssignableFrom(type.Properties[i].PropertyType))
                type.Properties.RemoveAt(i);
        }
    }

    private sealed class DigestConverter : JsonConverter<Digest>
    {
        public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            string text = reader.GetString() ?? string.Empty;
            return Digest.IsDigest(text) ? new Digest(text) : throw new JsonException($"'{text}' is not a SHA-256 digest");
        }

        public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Hex);
    }

    private sealed class SearchIdConverter : JsonConverter<SearchId>
    {
        public override SearchId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, SearchId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Text);
    }

    private sealed class ValueListConverterFactory : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) =>
            typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(ValueList<>);

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(ValueListConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()[0]))!;
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Made by the factory above.")]
    private sealed class ValueListConverter<T> : JsonConverter<ValueList<T>>
    {
        private JsonConverter<T>? converter;

        public override ValueList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize<T[]>(ref reader, options)!.ToValueList();

        public override void Write(Utf8JsonWriter writer, ValueList<T> value, JsonSerializerOptions options)
        {
            converter ??= (JsonConverter<T>)options.GetConverter(typeof(T));
            writer.WriteStartArray();
            foreach (T item in value)
                converter.Write(writer, item, options);
            writer.WriteEndArray();
        }
    }
}
