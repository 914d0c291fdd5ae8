using System.Text;
using System.Text.Json;

namespace DaNas.Domain.Configuration;

/// <summary>A resolved configuration tree, independent of the text format that it was read from.</summary>
public abstract record ConfigNode(ConfigOrigin Origin)
{
    /// <summary>Reads the canonical JSON text that <see cref="ToCanonicalText"/> writes.</summary>
    public static ConfigNode FromCanonicalText(string text, string file)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return FromJson(document.RootElement, new ConfigOrigin(file, 0));
    }

    /// <summary>JSON with sorted keys and no white space: the text whose hash names a configuration.</summary>
    public string ToCanonicalText()
    {
        StringBuilder text = new();
        Write(text, this);
        return text.ToString();
    }

    private static void Write(StringBuilder text, ConfigNode node)
    {
        switch (node)
        {
            case ConfigObject o:
                text.Append('{').AppendJoin(',', o.Fields.OrderBy(f => f.Key, StringComparer.Ordinal).Select(Field)).Append('}');
                break;
            case ConfigArray a:
                text.Append('[').AppendJoin(',', a.Items.Select(Text)).Append(']');
                break;
            case ConfigValue v:
                text.Append(v.Quoted ? JsonSerializer.Serialize(v.Text) : v.Text is "true" or "false" or "null" || IsNumber(v.Text)
                    ? v.Text : JsonSerializer.Serialize(v.Text));
                break;
        }

        static string Text(ConfigNode n)
        {
            StringBuilder inner = new();
            Write(inner, n);
            return inner.ToString();
        }

        static string Field(KeyValuePair<string, ConfigNode> f) => $"{JsonSerializer.Serialize(f.Key)}:{Text(f.Value)}";
    }

    private static bool IsNumber(string text)
    {
        try
        {
            using JsonDocument d = JsonDocument.Parse(text);
            return d.RootElement.ValueKind == JsonValueKind.Number;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static ConfigNode FromJson(JsonElement element, ConfigOrigin origin) => element.ValueKind switch
    {
        JsonValueKind.Object => new ConfigObject(
            element.EnumerateObject().ToDictionary(p => p.Name, p => FromJson(p.Value, origin), StringComparer.Ordinal), origin),
        JsonValueKind.Array => new ConfigArray([.. element.EnumerateArray().Select(e => FromJson(e, origin))], origin),
        JsonValueKind.String => new ConfigValue(element.GetString()!, true, origin),
        _ => new ConfigValue(element.GetRawText(), false, origin),
    };
}
