using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Domain.Configuration;

/// <summary>Differences between what a search was started with and what it would go on with, key by key.</summary>
public static class ConfigDrift
{
    /// <summary>What has already shaped a search once it has begun: these keys cannot be changed, accepted or not.</summary>
    private static readonly string[] Fixed =
    [
        "space.", "search.", "data.kind", "data.split-seed", "data.validation-fraction", "data.test-fraction", "data.limit-per-class",
            "data.test-limit-per-class", "data.drawn.",
        "engine.kind", "engine.dataset", "engine.noise", "difficulty.", "curriculum.", "warmup.", "stage.", "rounds.",
    ];

    /// <summary>Keys that change no result: how the work is done, not what comes out.</summary>
    private static readonly string[] Operational =
    [
        "trainers.count", "trainers.unit-deadline", "trainers.attempts", "trainers.silence", "trainers.memory", "blobs.", "engine.table",
            "data.path", "data.cache", "data.prefetch-batches",
    ];

    /// <summary>All differences as "key: old -> new", in order of keys.</summary>
    public static ValueList<string> Of(string before, string after)
    {
        SortedDictionary<string, string> old = Flat(before);
        SortedDictionary<string, string> now = Flat(after);
        return old.Keys.Union(now.Keys).Order(StringComparer.Ordinal)
            .Where(k => old.GetValueOrDefault(k) != now.GetValueOrDefault(k))
            .Select(k => $"{k}: {old.GetValueOrDefault(k, "(absent)")} -> {now.GetValueOrDefault(k, "(absent)")}").ToValueList();
    }

    /// <summary>What differs between two data sets. The names are stored in a decision, so that they never change.</summary>
    public static ValueList<string> Of(DatasetSummary before, DatasetSummary after) => Of(
        ("fingerprint", before.Fingerprint.Short, after.Fingerprint.Short),
        ("classes", Text(before.Classes.Count), Text(after.Classes.Count)),
        ("training pictures", Text(before.TrainImages), Text(after.TrainImages)),
        ("test pictures", Text(before.Test.Sum(n => (long)n)), Text(after.Test.Sum(n => (long)n))));

    /// <summary>Of named pairs, those that differ.</summary>
    public static ValueList<string> Of(params ReadOnlySpan<(string Name, string Before, string After)> pairs)
    {
        List<string> changes = [];
        foreach ((string name, string before, string after) in pairs)
        {
            if (before != after)
                changes.Add($"{name}: {before} -> {after}");
        }

        return changes.ToValueList();
    }

    /// <summary>
    /// What the runs of the finals and of a retraining, once they are planned, stand on: their number, and what is in their checkpoints.
    /// </summary>
    private static readonly string[] FixedInRetraining = ["retrain.optimiser", "retrain.average-decay", "retrain.top", "retrain.seeds",
        "retrain.first-seed", "retrain.segment-steps", "retrain.measure-on", "finals.", "controls."];

    /// <summary>Changes that cannot be accepted, since the search stands on the old values.</summary>
    public static ValueList<string> Unacceptable(ValueList<string> changes, SearchState state) =>
        changes.Where(c => FixedIn(state).Any(f => c.StartsWith(f, StringComparison.Ordinal))).ToValueList();

    private static string[] FixedIn(SearchState state)
    {
        if (state.Selected is not null)
            return [.. Fixed, .. FixedInRetraining];
        return InFinals(state.Phase) ? [.. Fixed, .. FixedInRetraining, "retrain.batch"] : Fixed;
    }

    private static bool InFinals(SearchPhase phase) => phase is SearchPhase.Finals
        || (phase is SearchPhase.Failed failed && InFinals(failed.Before));

    /// <summary>
    /// Keys that are new since 0.3 with the value that stands for what was before: with it, a configuration has the name that it had
    /// without.
    /// </summary>
    private static readonly string[] AsBefore = ["retrain.measure-on=\"test\"", "controls.epochs=0", "derivation.random=0",
        "finals.count=0", "sampler.average-decay=0", "data.exif-orientation=false"];

    /// <summary>A name for everything in a configuration that a result depends on.</summary>
    public static Digest Identity(string text) =>
        Digest.Of(string.Join('\n', Flat(text).Where(f => !AsBefore.Contains($"{f.Key}={f.Value}")
            && !Operational.Any(o => f.Key.StartsWith(o, StringComparison.Ordinal))).Select(f => $"{f.Key}={f.Value}")));

    /// <summary>The event that records an accepted configuration: a decision, unless no result can change by it.</summary>
    public static SearchEvent Event(string before, string after)
    {
        ValueList<string> changes = Of(before, after);
        return changes.All(c => Operational.Any(o => c.StartsWith(o, StringComparison.Ordinal)))
            ? new SearchEvent.OperationChanged(after, Digest.Of(after), changes)
            : new SearchEvent.ConfigurationChanged(after, Digest.Of(after), changes);
    }

    private static SortedDictionary<string, string> Flat(string text)
    {
        SortedDictionary<string, string> flat = new(StringComparer.Ordinal);
        Add(ConfigNode.FromCanonicalText(text, "journal"), string.Empty);
        return flat;

        void Add(ConfigNode node, string path)
        {
            if (node is ConfigObject o)
            {
                foreach ((string key, ConfigNode value) in o.Fields)
                    Add(value, path.Length == 0 ? key : $"{path}.{key}");
                return;
            }

            flat[path] = node.ToCanonicalText();
        }
    }

    private static string Text(long value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
