using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using DaNas.Actors.Journals;
using DaNas.Domain.Architectures;
using DaNas.Domain.Estimates;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>One stage as the report shows it; costs in images and MACs, seconds of the units' own clocks.</summary>
internal sealed record StageRow(string Name, int Classes, int BlocksBefore, int BlocksAfter, long Images, long BackwardImages, long Macs,
    double Seconds, double Loss, double Accuracy, double CheapestMacs, double MeanMacs, double DearestMacs)
{
    /// <summary>Expected MACs and milliseconds under the probabilities of the stage's end; null where none were learned.</summary>
    public double? ExpectedMacs { get; init; }

    public double? ExpectedMilliseconds { get; init; }
}

/// <summary>A stored round: where its curve goes on.</summary>
internal sealed record RoundPoint(int Stage, long Images, double Loss, double Accuracy);

/// <summary>
/// One block of one layer: its score in each stage (null: not scored), and the stage after which it was gone (null: it stayed).
/// </summary>
internal sealed record BlockCell(string Block, IReadOnlyList<double?> Scores, int? PrunedAt, string? Reason, bool Won);

/// <summary>A trained or ranked architecture.</summary>
internal sealed record ModelPoint(string Name, string Architecture, long Macs, long Parameters, double? TestAccuracy,
    double? SupernetAccuracy)
{
    /// <summary>As 'danas measure ID' found it.</summary>
    public double? Milliseconds { get; init; }

    /// <summary>By the search's own latency table, or the one that was measured with it.</summary>
    public double? PredictedMilliseconds { get; init; }

    /// <summary>Whether it is the architecture that won.</summary>
    public bool Won { get; init; }
}

/// <summary>Work that was lost, by its cause.</summary>
internal sealed record LossRow(string Cause, int Times, double Seconds);

/// <summary>
/// Everything in a report, from the journal and what 'danas measure' and 'danas evaluate' left beside it; what the page's script reads.
/// </summary>
internal sealed class ReportData(SearchRecord record, SearchNotes notes)
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly SearchState state = record.State;
    private readonly IReadOnlyList<SearchEvent> events = [.. record.Events.Select(e => (SearchEvent)e.Event)];

    public string Id => record.Id;

    public string Status => record.Status;

    public string Title => state.Config?.Search.Name ?? record.Id;

    /// <summary>Whether the winner is better than chance, in a sentence; null before it is known.</summary>
    public string? Verdict => SearchVerdict.Of(state)?.Sentence;

    /// <summary>The split that retrained models are measured on.</summary>
    public string MeasuredOn => state.Config?.Retrain.MeasuredName ?? "test";

    /// <summary>Whether the supernet's scores chose better finalists than chance; null where none were drawn at random.</summary>
    public string? Finalists => FinalistComparison.Of(state, events)?.ToString();

    /// <summary>What would have been chosen without a search, each as a phrase.</summary>
    public IReadOnlyList<string> TrivialPredictors => [.. PredictorChoice.Of(state, events).Select(c => c.ToString())];

    /// <summary>What the difficulty pass found; null where no verdict was asked for.</summary>
    public string? DifficultyVerdict => state.DifficultyVerdict?.ToString();

    /// <summary>Whether the curriculum follows the difficulty.</summary>
    public bool IsOrdered => state.DifficultyVerdict is not { IsOrder: false };

    public string Space => state.Space?.Name ?? string.Empty;

    public long Budget => state.Budget;

    public IReadOnlyList<string> Classes => [.. state.Started!.Data.Classes];

    public IReadOnlyList<double> Difficulty => [.. state.Difficulty?.Values ?? []];

    public IReadOnlyList<int> EasyToHard => [.. state.Difficulty?.EasyToHard ?? []];

    public IReadOnlyList<StageRow> Stages => [.. state.Stages.Select(Row)];

    /// <summary>Training curves of the supernet over images seen.</summary>
    public IReadOnlyList<RoundPoint> Rounds
    {
        get
        {
            long images = 0;
            return [.. events.OfType<SearchEvent.RoundCompleted>()
                .Select(r => new RoundPoint(r.Stage, images += r.Cost.ForwardImages, r.Loss, r.Accuracy))];
        }
    }

    /// <summary>[layer][block]: the heat map.</summary>
    public IReadOnlyList<IReadOnlyList<BlockCell>> Blocks => state.Space is null
        ? [] : [.. state.Space.Layers.Select(l => (IReadOnlyList<BlockCell>)[.. l.Candidates.Select(b => Cell(l.Index, b.Name))])];

    /// <summary>Names of the stages that scored blocks, the columns of <see cref="BlockCell.Scores"/>.</summary>
    public IReadOnlyList<string> ScoredStages => [.. Scored.Select(Name)];

    public IReadOnlyList<ModelPoint> Models
    {
        get
        {
            if (state.Space is null)
                return [];
            CostTable costs = CostTable.Of(state.Space);
            IEnumerable<ModelPoint> trained = events.OfType<SearchEvent.ModelRetrained>()
                .Select(m => Point(costs, m.Run, m.Architecture, m.TestAccuracy, null));
            ValueList<double>? seen = state.Selected?.Accuracies;
            IEnumerable<ModelPoint> ranked = (events.OfType<SearchEvent.ArchitecturesRanked>()
                .LastOrDefault()?.Ranked ?? []).Select((r, i) =>
                Point(costs, Invariant($"candidate {i + 1}"), r.Architecture, null, seen is not null && i < seen.Count ? seen[i] : null));
            return [.. trained.Concat(ranked).Select(Timed)];
        }
    }

    public string LatencyDevice => notes.Latencies?.Device ?? string.Empty;

    /// <summary>Whose milliseconds the predictions are: of the measurement, or of the search's own table.</summary>
    public string PredictionDevice => notes.Latencies?.Rows.Any(r => r.Predicted is not null) == true
        ? LatencyDevice : state.Config?.Cost.Latency?.Device ?? string.Empty;

    /// <summary>The bound on latency in milliseconds; 0 where there is none.</summary>
    public double TargetMilliseconds => state.Config?.Cost.TargetMilliseconds ?? 0;

    /// <summary>[true][predicted], of the winner; empty where there are too many classes and nobody evaluated it.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Confusion => notes.Confusion.Count > 0
        ? notes.Confusion : [.. Retrained?.Confusion?.Select(row => (IReadOnlyList<int>)row) ?? []];

    /// <summary>The resolved configuration.</summary>
    public string Configuration => JsonNode.Parse(state.Config!.Text)!.ToJsonString(Indented);

    /// <summary>Retraining curves: run, segment, loss, accuracy.</summary>
    public IReadOnlyList<object> Retraining => [.. events.OfType<SearchEvent.SegmentCompleted>().Where(s => !Finals.IsFinal(s.Run))
        .Select(s => (object)new { s.Run, s.Segment, s.Loss, s.Accuracy })];

    public IReadOnlyList<double> TestPerClass => [.. Retrained?.TestPerClass ?? []];

    public IReadOnlyList<LossRow> Lost => [.. events.OfType<SearchEvent.AttemptFailed>().Select(
        a => (Cause: Kind(a.Cause), a.Lost.Seconds)).Concat(
        events.OfType<SearchEvent.SearchResumed>().Where(r => r.Lost.Seconds > 0).Select(r => (Cause: "interrupted", r.Lost.Seconds)))
        .GroupBy(l => l.Cause).Select(g => new LossRow(g.Key, g.Count(), Math.Round(g.Sum(l => l.Seconds), 1)))
            .OrderByDescending(l => l.Seconds)];

    /// <summary>The winner layer by layer.</summary>
    public IReadOnlyList<object> Winner
    {
        get
        {
            if (state.Selected?.Winner is not { } winner || state.Space is null)
                return [];
            CostTable costs = CostTable.Of(state.Space);
            return [.. winner.Blocks.Select((b, l) => (object)new { layer = l + 1, block = b, state.Space.Layers[l].InChannels,
                state.Space.Layers[l].OutChannels, state.Space.Layers[l].OutResolution, state.Space.Layers[l].Stride, costs.Of(l, b).Macs,
                costs.Of(l, b).Parameters })];
        }
    }

    /// <summary>Label and value, for people who want to know where it comes from.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Facts =>
    [
        new("search", record.Id), new("status", $"{record.Status} ({state.Phase.GetType().Name})"),
            new("began", Invariant($"{record.Events[0].Created:yyyy-MM-dd HH:mm:ss} UTC")),
            new("last event", Invariant($"{record.Events[^1].Created:yyyy-MM-dd HH:mm:ss} UTC")),
        new("time at work", Durations.Text(record.ActiveSeconds)), new("lost to faults", Invariant($"{state.LostSeconds:0.0} s")),
            new("images forward", Invariant($"{state.Cost.ForwardImages:N0}")),
            new("images backward", Invariant($"{state.Cost.BackwardImages:N0}")),
        new("MACs forward", Invariant($"{state.Cost.ForwardMacs:N0}")), new("architecture", state.Selected?.Winner.Text ?? "not yet"),
            new("architecture id", state.Selected?.Winner.Id ?? "-"), new("budget, MACs", Invariant($"{state.Budget:N0}")),
        new("data", $"{state.Started!.Data.Name}, fingerprint {state.Started.Data.Fingerprint.Short}"), new("verdict", Verdict ?? "-"), new(
            "difficulty pass", DifficultyVerdict ?? "-"), new("seed", Invariant($"{state.Config!.Search.Seed}")), new("configuration hash",
            state.Config.Hash.Hex), new("numerics", state.Started.NumericsProfile), new("engine", state.Started.EngineVersion),
        new("decision hash", state.DecisionHash.Hex), new("weights hash", (state.Phase as SearchPhase.Completed)?.WeightsHash.Hex
            ?? "-"), new("events", Invariant($"{record.Events.Count}")), new("quarantined", state.Quarantined.Count == 0
            ? "none" : string.Join(", ", state.Quarantined.Select(q => Invariant($"L{q.Layer + 1:00} {q.Block}")))),
        new("this page", Invariant($"written on {Environment.MachineName} by DaNas.Actors {ProductVersion}")),
    ];

    private static string ProductVersion => typeof(ReportData).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "of an unknown version";

    private SearchEvent.ModelRetrained? Retrained => events.OfType<SearchEvent.ModelRetrained>()
        .FirstOrDefault(m => m.Run == RetrainPlan.Winner);

    private IReadOnlyList<int> Scored => [.. events.OfType<SearchEvent.BlockScored>().Select(b => b.Stage).Distinct().Order()];

    private string Name(int stage) => state.Plan?.Stages[stage].IsWarmup == true ? "warm-up" : Invariant($"stage {stage}");

    private StageRow Row(StageRecord s)
    {
        CostTable costs = CostTable.Of(state.Space!);
        double Sum(Func<IEnumerable<double>, double> of) => costs.Fixed.Macs
            + s.After.Layers.Select((l, i) => of(l.Select(b => (double)costs.Of(i, b).Macs))).Sum();
        double seconds = events.OfType<SearchEvent.RoundCompleted>().Where(r => r.Stage == s.Plan.Index).Sum(r => r.Timing.Seconds)
            + events.OfType<SearchEvent.EvidenceGathered>().Where(e => e.Stage == s.Plan.Index).Sum(e => e.Timing.Seconds);
        return new(Name(s.Plan.Index), s.Plan.Classes.Count, s.Before.Count, s.After.Count, s.Cost.ForwardImages, s.Cost.BackwardImages,
            s.Cost.ForwardMacs, Math.Round(seconds, 1), s.Loss, s.Accuracy, Sum(m => m.Min()), Sum(m => m.Average()), Sum(m => m.Max()))
        {
            ExpectedMacs = Expected(s, costs.Fixed.Macs, (l, b) => costs.Of(l, b).Macs),
            ExpectedMilliseconds = state.Config!.Cost.Latency is { } table ? Expected(s, table.FixedMilliseconds, table.Of) : null,
        };
    }

    /// <summary>E = fixed + sum p F, with the mean probabilities that the stage's blocks were judged by.</summary>
    private double? Expected(StageRecord s, double fixedCost, Func<int, string, double> of)
    {
        ValueList<ValueList<double>>[] samples = [.. events.OfType<SearchEvent.RoundCompleted>().Where(r => r.Stage == s.Plan.Index)
            .SelectMany(r => r.Probabilities)];
        return samples.Length == 0 ? null : fixedCost + s.Before.Layers
            .Select((l, i) => l.Select((b, j) => samples.Average(p => p[i][j]) * of(i, b)).Sum()).Sum();
    }

    private BlockCell Cell(int layer, string block)
    {
        (SearchEvent.BlocksPruned Event, Removal Removal)? gone = events.OfType<SearchEvent.BlocksPruned>().SelectMany(e => e.Removed
            .Where(r => r.Layer == layer && r.Block == block).Select(r => ((SearchEvent.BlocksPruned, Removal)?)(e, r))).FirstOrDefault();
        double?[] scores = [.. Scored.Select(s => events.OfType<SearchEvent.BlockScored>()
            .LastOrDefault(b => b.Stage == s && b.Score.Layer == layer && b.Score.Block == block)?.Score.Score)];
        return new(block, scores, gone?.Event.Stage, gone?.Removal.Reason, state.Selected?.Winner.Blocks[layer] == block);
    }

    private ModelPoint Timed(ModelPoint m)
    {
        LatencyNote? note = notes.Latencies?.Rows.FirstOrDefault(r => r.Architecture == m.Architecture);
        double? byTable = state.Config!.Cost.Latency is { } table && Architecture.Parse(state.Space!, m.Architecture) is { } a
            ? Math.Round(table.Of(a), 3) : null;
        return m with
        {
            Won = m.Architecture == state.Selected?.Winner.Text,
            Milliseconds = note?.Milliseconds,
            PredictedMilliseconds = note?.Predicted ?? byTable
        };
    }

    private static ModelPoint Point(CostTable costs, string name, Architecture a, double? test, double? supernet) =>
        new(name, a.Text, costs.Of(a).Macs, costs.Of(a).Parameters, test, supernet);

    /// <summary>The kind at the beginning of a cause: everything before its details.</summary>
    private static string Kind(string cause) => cause.Split(':', '(', ';')[0].Trim() is { Length: > 0 and < 80 } head
        ? head : cause[..Math.Min(80, cause.Length)];
}
