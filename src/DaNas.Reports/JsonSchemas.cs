using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using DaNas.Domain.Values;

namespace DaNas.Reports;

/// <summary>
/// What programs read has a name and a version, <c>"schema": "danas/NAME/1"</c>, and a JSON Schema under docs/schemas. A version may get
/// new fields; where one is renamed, changes its type or goes, the version is the next. With <see cref="Variable"/> set, a verb prints the
/// schema of its JSON in place of the JSON: some before they begin, and then they do nothing else; the others after their work.
/// </summary>
internal static class JsonSchemas
{
    public const string Variable = "DANAS_JSON_SCHEMA";

    private const string Draft = "https://json-schema.org/draft/2020-12/schema";

    private static bool IsAskedFor => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    private static readonly JsonSchemaExporterOptions Exporting = new() { TransformSchemaNode = Lists };

    /// <summary>What is printed: the value under its name, or the schema that was asked for.</summary>
    public static string Text<T>(string name, T value, JsonSerializerOptions options)
    {
        options.MakeReadOnly(true);
        return IsAskedFor ? Schema<T>(name, options).ToJsonString(options) : File(name, value, options);
    }

    /// <summary>For a verb whose work takes long or needs a cluster: its schema, before it begins, where that was asked for.</summary>
    public static bool Printed<T>(string name, JsonSerializerOptions options)
    {
        if (!IsAskedFor)
            return false;
        options.MakeReadOnly(true);
        Console.WriteLine(Schema<T>(name, options).ToJsonString(options));
        return true;
    }

    /// <summary>What is stored: always the value.</summary>
    public static string File<T>(string name, T value, JsonSerializerOptions options)
    {
        options.MakeReadOnly(true);
        return Named(name, JsonSerializer.SerializeToNode(value, options)!).ToJsonString(options);
    }

    private static JsonNode Named(string name, JsonNode node) =>
        node is JsonArray rows ? new JsonArray([.. rows.Select(r => Named(name, r!))]) : With("schema", Id(name), node.AsObject());

    private static JsonObject Schema<T>(string name, JsonSerializerOptions options)
    {
        JsonObject schema = options.GetJsonSchemaAsNode(typeof(T), Exporting).AsObject();
        JsonObject item = (schema["items"] ?? schema).AsObject();
        item["properties"] = With("schema", new JsonObject { ["const"] = Id(name) }, item["properties"]!.AsObject());
        item["required"] = new JsonArray(["schema", .. item["required"]?.AsArray().Select(r => r!.DeepClone()) ?? []]);
        return With("$schema", Draft, schema);
    }

    private static string Id(string name) => $"danas/{name}/1";

    private static JsonObject With(string key, JsonNode first, JsonObject rest)
    {
        JsonObject all = new() { [key] = first };
        foreach ((string name, JsonNode? value) in rest)
            all[name] = value?.DeepClone();
        return all;
    }

    /// <summary>Lists of ours have a converter, into which the exporter does not look.</summary>
    private static JsonNode Lists(JsonSchemaExporterContext context, JsonNode schema) =>
        context.TypeInfo.Type is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(ValueList<>)
        ? new JsonObject
        {
            ["type"] = "array",
            ["items"] = context.TypeInfo.Options
            .GetJsonSchemaAsNode(type.GetGenericArguments()[0], Exporting)
        }
        : Open(context, schema);

    /// <summary>
    /// Fields are added to a version, so none may be refused; where our own JSON is strict in reading, the exporter would say so.
    /// </summary>
    private static JsonNode Open(JsonSchemaExporterContext context, JsonNode schema)
    {
        if (schema is JsonObject strict && strict["additionalProperties"]?.GetValueKind() == JsonValueKind.False)
            strict.Remove("additionalProperties");
        if (schema["anyOf"] is JsonArray any && Nullable.GetUnderlyingType(context.TypeInfo.Type) is not null)
            any.Add(new JsonObject { ["type"] = "null" }); // Of a number that may be NaN the exporter forgets that it may be null.
        return context.TypeInfo.Type == typeof(Digest) ? new JsonObject { ["type"] = "string" } : schema;
    }
}
