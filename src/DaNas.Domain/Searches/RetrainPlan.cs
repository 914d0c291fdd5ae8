using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

/// <summary>
/// Which architectures are trained from scratch once one is chosen, and under which names: winner, runner-up-N, control-N, winner-compared.
/// </summary>
public static class RetrainPlan
{
    public const string Winner = "winner";

    private const string Control = "control-";
    private const string Compared = "winner-compared";

    public static bool IsControl(string run) => run.StartsWith(Control, StringComparison.Ordinal);

    /// <summary>
    /// Whether a run is the training of the winner that the controls are compared with, where their recipe is shorter than the
    /// retraining's.
    /// </summary>
    public static bool IsCompared(string run) => run.StartsWith(Compared, StringComparison.Ordinal);

    /// <summary>Optimiser steps of a run: the controls' epochs where they have their own, over the images that it is trained on.</summary>
    public static int Steps(SearchConfig config, DatasetSummary data, string run)
    {
        double epochs = config.Controls.Epochs > 0 && (IsControl(run) || IsCompared(run)) ? config.Controls.Epochs : config.Retrain.Epochs;
        long images = config.Retrain.MeasureOn == MeasuredSplit.Validation ? data.Weights.Sum(n => (long)n) : data.TrainImages;
        return Math.Max(1, (int)Math.Ceiling((epochs * images / config.Retrain.Batch) - 1e-9));
    }

    /// <summary>The models that a winner and its controls are compared by: trained by one recipe.</summary>
    public static (ValueList<RetrainedModel> Winner, ValueList<RetrainedModel> Controls) Comparison(ValueList<RetrainedModel> models)
    {
        ValueList<RetrainedModel> compared = models.Where(m => IsCompared(m.Run)).ToValueList();
        return (compared.Count > 0 ? compared : models.Where(m => m.Architecture == models[0].Architecture && !IsControl(m.Run))
            .ToValueList(), models.Where(m => IsControl(m.Run)).ToValueList());
    }

    /// <summary>All runs; further seeds of one as NAME-seed2 and so on, behind the first seeds of all.</summary>
    public static ValueList<RunProgress> Of(SearchState state, SearchEvent.ArchitectureSelected selected)
    {
        RetrainOptions options = state.Config!.Retrain;
        List<(string Name, Architecture Architecture)> runs = [(Winner, selected.Winner)];
        runs.AddRange(RunnersUp(state, selected).Select((a, i) => (Invariant($"runner-up-{i + 1}"), a)));
        if (Compares(state.Config) && selected.Controls.Count > 0)
            runs.Add((Compared, selected.Winner));
        runs.AddRange(selected.Controls.Select((a, i) => (Invariant($"{Control}{i + 1}"), a)));
        return Enumerable.Range(0, options.Seeds)
            .SelectMany(k => runs.Select(r => new RunProgress(k == 0
                ? r.Name : Invariant($"{r.Name}-seed{k + 1}"), r.Architecture, UnitChain.Empty, null)
            { Repeat = options.FirstSeed + k }))
            .ToValueList();
    }

    /// <summary>How many runs there will be, before anything is chosen: of the retraining's recipe, and of the controls'.</summary>
    public static (int Whole, int Compared) Count(SearchConfig config)
    {
        int whole = config.Search.Strategy == StrategyKind.Given
            ? config.Search.Architectures.Count : Math.Min(config.Retrain.Top, config.Derivation.Candidates);
        return (config.Retrain.Seeds * whole, config.Retrain.Seeds * (config.Controls.Count + (Compares(config) ? 1 : 0)));
    }

    private static bool Compares(SearchConfig config) => config.Controls is { Count: > 0, Epochs: > 0 };

    /// <summary>The other candidates, by the finals and then by supernet accuracy; of given architectures, all.</summary>
    private static IEnumerable<Architecture> RunnersUp(SearchState state, SearchEvent.ArchitectureSelected selected)
    {
        if (state.Phase is SearchPhase.Finals finals)
            return Finals.Best(finals).Concat(ByAccuracy(finals.Ranked, selected)).Distinct().Where(a => a != selected.Winner)
                .Take(state.Config!.Retrain.Top - 1);
        if (state.Phase is not SearchPhase.Deriving p)
            return [];
        int top = state.Config!.Search.Strategy == StrategyKind.Given ? int.MaxValue : state.Config.Retrain.Top;
        return ByAccuracy(p.Ranked, selected).Where(a => a != selected.Winner).Take(top - 1);
    }

    private static IEnumerable<Architecture> ByAccuracy(ValueList<RankedArchitecture> ranked, SearchEvent.ArchitectureSelected selected) =>
        ranked.Select((r, i) => (r.Architecture, Accuracy: selected.Accuracies.ElementAtOrDefault(i), Rank: i))
            .OrderByDescending(x => x.Accuracy).ThenBy(x => x.Rank).Select(x => x.Architecture);
}
