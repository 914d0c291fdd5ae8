using System.Text.Json.Nodes;

namespace DaNas.Runtime.Searches;

/// <summary>Events as people and programs read them.</summary>
internal static class EventJson
{
    /// <summary>Rows count layers from 0; everything that people and programs read counts them from 1.</summary>
    public static JsonNode FromOne(JsonNode node)
    {
        if (node is JsonObject o && o.TryGetPropertyValue("layer", out JsonNode? layer) && layer is JsonValue value
            && value.TryGetValue(out int index))
            o["layer"] = index + 1;
        foreach (JsonNode child in node is JsonObject fields ? fields.Select(f => f.Value).OfType<JsonNode>() : node is JsonArray items
            ? items.OfType<JsonNode>() : [])
            FromOne(child);
        return node;
    }
}
