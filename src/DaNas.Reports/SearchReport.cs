using System.Text.Json;
using System.Text.Json.Serialization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>The winner's place among its controls: see <see cref="SearchVerdict"/>.</summary>
internal sealed record VerdictReport(string Sentence, int Rank, int Controls, double Chance, double Difference, double? Low, double? High,
    double ArchitecturesOfEqualCost);

/// <summary>Validation accuracies of the finalists, by how they were chosen: see <see cref="FinalistComparison"/>.</summary>
internal sealed record FinalistReport(double ByScore, int Scored, double Random, int Drawn, long ScoredMacs, long DrawnMacs, double? Low,
    double? High, bool WinnerIsRandom);

/// <summary>A stage that has ended: candidate blocks before and after its pruning.</summary>
internal sealed record StageReport(int Stage, bool Warmup, int Classes, int BlocksBefore, int BlocksAfter, double Loss, double Accuracy);

/// <summary>The result of a search as a program reads it. Fields are added, never renamed.</summary>
internal sealed record SearchReport(
    string SearchId,
    string Status,
    string? ArchitectureId,
    string? Architecture,
    string DecisionHash,
    string? WeightsHash,
    string? SupernetHash,
    double? TestAccuracy,
    double? RandomTestAccuracy,
    IReadOnlyList<double> ControlTestAccuracies,
    long? Macs,
    long? Parameters,
    long CostImages,
    long CostBackwardImages,
    long CostMacs,
    double SearchSeconds,
    double LostSeconds,
    long Events,
    string OutputDirectory,
    string? Reason,
    double? PredictedMilliseconds,
    double? TargetMilliseconds,
    VerdictReport? Verdict,
    IReadOnlyList<PredictorChoice> TrivialPredictors,
    double? ComparedTestAccuracy,
    string MeasuredOn,
    FinalistReport? Finalists)
{
    /// <summary>Whether a process of this machine has it now.</summary>
    public bool Running { get; init; }

    /// <summary>measuring-difficulty, training, ..., completed or failed.</summary>
    public string Phase { get; init; } = string.Empty;

    /// <summary>Of the estimated work, from 0 to 1; null before the end where an engine answers at once.</summary>
    public double? Progress { get; init; }

    /// <summary>By the pace so far; null where nothing can be told, and at the end.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>The stages that have ended.</summary>
    public IReadOnlyList<StageReport> Stages { get; init; } = [];

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never
    };

    public static JsonSerializerOptions Json => Options;

    public static SearchReport Of(SearchRecord record, OutputFolder folder)
    {
        SearchState state = record.State;
        SearchPhase.Completed? done = state.Phase as SearchPhase.Completed;
        (ValueList<RetrainedModel> compared, ValueList<RetrainedModel> random) = done is null
            ? ([], []) : RetrainPlan.Comparison(done.Models);
        double[] controls = [.. random.Select(m => m.TestAccuracy)];
        UnitCost cost = state.Cost;
        SearchEstimate? estimate = state is { Config: { Engine.Kind: EngineKind.Torch } config, Started: { } begun, IsOver: false }
            ? SearchEstimate.Of(config, begun.Data) : null;
        double worked = SearchEstimate.Weighted(cost);
        return new(
            record.Id,
            record.Status,
            state.Selected?.Winner.Id,
            state.Selected?.Winner.Text,
            state.DecisionHash.Hex,
            done?.WeightsHash.Hex,
            state.Supernet?.Digest.Hex,
            done?.Models[0].TestAccuracy,
            controls.Length > 0 ? Math.Round(controls.Average(), 6) : null,
            controls,
            state.Selected?.Cost.Macs,
            state.Selected?.Cost.Parameters,
            cost.ForwardImages,
            cost.BackwardImages,
            cost.ForwardMacs,
            Math.Round(record.ActiveSeconds, 3),
            Math.Round(state.LostSeconds, 3),
            record.Events.Count,
            folder.SearchFolder(record.Id),
            (state.Phase as SearchPhase.Failed)?.Reason,
            state.Config?.Cost.Latency is { } table && state.Selected is { } chosen ? Math.Round(table.Of(chosen.Winner), 4) : null,
            state.Config?.Cost.TargetMilliseconds is > 0 and { } target ? target : null,
            SearchVerdict.Of(state) is { } v ? new(v.Sentence, v.Rank, v.Controls, Math.Round(v.Chance, 4), Math.Round(v.Difference, 6),
                Finite(v.Low), Finite(v.High), Math.Round(v.Band)) : null,
            PredictorChoice.Of(state, record.Events.Select(e => e.Event).OfType<SearchEvent>()),
            compared.Count > 0 ? Math.Round(compared.Average(m => m.TestAccuracy), 6) : null,
            state.Config?.Retrain.MeasuredName ?? "test",
            FinalistComparison.Of(state, record.Events.Select(e => e.Event).OfType<SearchEvent>()) is { } f ? new(
                Math.Round(f.ByScore, 6), f.Scored, Math.Round(f.Random, 6), f.Drawn, (long)f.ScoredMacs, (long)f.DrawnMacs, Finite(f.Low),
                Finite(f.High), f.WinnerIsRandom) : null)
        {
            Running = !state.IsOver && OwnerLock.IsHeld(folder, record.Id),
            Phase = SearchRecord.NameOf(state.Phase),
            Progress = state.Phase is SearchPhase.Completed ? 1 : estimate is null ? null : Math.Round(estimate.ShareDone(state.Cost), 4),
            SecondsLeft = estimate is null || worked <= 0 ? null
                : Math.Round(Math.Max(0, estimate.WeightedMacs - worked) / worked * record.ActiveSeconds),
            Stages = [.. state.Stages.Select(s => new StageReport(
                s.Plan.Index, s.Plan.IsWarmup, s.Plan.Classes.Count, s.Before.Count, s.After.Count, s.Loss, s.Accuracy))],
        };
    }

    /// <summary>Completed, failed, running, or interrupted; unfinished where others may run it, as over a shared PostgreSQL.</summary>
    public static string StatusOf(SearchRecord record, OutputFolder folder) => record.State.IsOver
        ? record.Status : OwnerLock.IsHeld(folder, record.Id) ? "running" : folder.IsAlone ? "interrupted" : record.Status;

    private static double? Finite(double value) => double.IsFinite(value) ? Math.Round(value, 6) : null;

    public string ToJson() => JsonSchemas.Text("search", this, Options);
}
