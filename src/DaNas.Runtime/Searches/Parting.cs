using System.Text.Json;
using System.Text.Json.Nodes;
using DaNas.Actors.Journals;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Runtime.Searches;

/// <summary>Where two searches part: the decision's place among decisions, its events, and the members that differ.</summary>
internal sealed record Parting(int Decision, long? FirstSequence, long? SecondSequence, string? FirstEvent, string? SecondEvent,
    IReadOnlyList<string> Differences)
{
    public static Parting? Of(SearchRecord a, SearchRecord b)
    {
        StoredEvent[] first = Standing(a), second = Standing(b);
        for (int i = 0; i < Math.Max(first.Length, second.Length); i++)
        {
            StoredEvent? x = i < first.Length ? first[i] : null;
            StoredEvent? y = i < second.Length ? second[i] : null;
            if (x is null || y is null || x.Manifest != y.Manifest || Canonical(x) != Canonical(y))
                return new(i + 1, x?.Sequence, y?.Sequence, x?.Manifest, y?.Manifest, x is not null && y is not null
                    && x.Manifest == y.Manifest ? [.. Members(x, y)] : []);
        }

        return null;
    }

    public string ToText()
    {
        string head = FirstEvent == SecondEvent
            ? Invariant($"decision {Decision} ({FirstEvent}) differs (events {FirstSequence} and {SecondSequence}):")
            : Invariant($"decision {Decision}: {FirstEvent ?? "nothing more"} (event {FirstSequence}) against " +
                $"{SecondEvent ?? "nothing more"} (event {SecondSequence})");
        return string.Join("\n  ", [head, .. Differences]);
    }

    /// <summary>The decisions that stand: after a lost blob a search goes back, and decides again what it had decided.</summary>
    private static StoredEvent[] Standing(SearchRecord record)
    {
        List<(StoredEvent Decision, Digest After)> standing = [];
        SearchState state = SearchState.Initial;
        foreach (StoredEvent e in record.Events)
        {
            state = SearchEvolver.Evolve(state, (SearchEvent)e.Event);
            if (e.Event is IDecision)
                standing.Add((e, state.DecisionHash));
            else if (standing.FindLastIndex(d => d.After == state.DecisionHash) is >= 0 and var last)
                standing.RemoveRange(last + 1, standing.Count - last - 1);
        }

        return [.. standing.Select(d => d.Decision)];
    }

    private static IEnumerable<string> Members(StoredEvent x, StoredEvent y)
    {
        if (x.Event is SearchEvent.SearchStarted s && y.Event is SearchEvent.SearchStarted t && s.Configuration != t.Configuration)
            return ConfigDrift.Of(s.Configuration, t.Configuration);
        using JsonDocument a = JsonDocument.Parse(EventJson.FromOne(JsonNode.Parse(Canonical(x))!).ToJsonString());
        using JsonDocument b = JsonDocument.Parse(EventJson.FromOne(JsonNode.Parse(Canonical(y))!).ToJsonString());
        return [.. Differ(a.RootElement, b.RootElement, string.Empty)];
    }

    private static IEnumerable<string> Differ(JsonElement a, JsonElement b, string path)
    {
        if (a.ValueKind == JsonValueKind.Object && b.ValueKind == JsonValueKind.Object)
            return a.EnumerateObject().SelectMany(p => b.TryGetProperty(p.Name, out JsonElement other)
                ? Differ(p.Value, other, path.Length == 0 ? p.Name : $"{path}.{p.Name}") : [$"{path}.{p.Name}: missing in the second"]);
        if (a.ValueKind == JsonValueKind.Array && b.ValueKind == JsonValueKind.Array && a.GetArrayLength() == b.GetArrayLength())
            return a.EnumerateArray().Zip(b.EnumerateArray(), (x, y) => (x, y))
                .SelectMany((z, i) => Differ(z.x, z.y, Invariant($"{path}[{i}]")));
        return a.GetRawText() == b.GetRawText() ? [] : [$"{path}: {Short(a)} against {Short(b)}"];
    }

    private static string Short(JsonElement e) => e.GetRawText() is { Length: > 80 } text ? text[..77] + "..." : e.GetRawText();

    private static string Canonical(StoredEvent e) => JsonSerializer.Serialize(e.Event, e.Event.GetType(), DomainJson.Canonical);
}
