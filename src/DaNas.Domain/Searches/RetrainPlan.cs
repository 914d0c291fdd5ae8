using System.Globalization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

/// <summary>Which architectures are trained from scratch once one is chosen, and under which names: winner, runner-up-N, control-N.</summary>
public static class RetrainPlan
{
    private const string Control = "control-";

    public static bool IsControl(string run) => run.StartsWith(Control, StringComparison.Ordinal);

    /// <summary>All runs; further seeds of one as NAME-seed2 and so on, behind the first seeds of all.</summary>
    public static ValueList<RunProgress> Of(SearchState state, SearchEvent.ArchitectureSelected selected)
    {
        RetrainOptions options = state.Config!.Retrain;
        List<(string Name, Architecture Architecture)> runs = [("winner", selected.Winner)];
        runs.AddRange(RunnersUp(state, selected).Select((a, i) => (Text($"runner-up-{i + 1}"), a)));
        runs.AddRange(selected.Controls.Select((a, i) => (Text($"{Control}{i + 1}"), a)));
        return Enumerable.Range(0, options.Seeds)
            .SelectMany(k => runs.Select(r => new RunProgress(k == 0 ? r.Name : Text($"{r.Name}-seed{k + 1}"), r.Architecture, UnitChain.Empty, null) { Repeat = options.FirstSeed + k }))
            .ToValueList();
    }

    /// <summary>How many runs there will be, before anything is chosen.</summary>
    public static int Count(SearchConfig config) => config.Retrain.Seeds * (config.Controls.Count + (config.Search.Strategy == StrategyKind.Given
        ? config.Search.Architectures.Count
        : Math.Min(config.Retrain.Top, config.Derivation.Candidates)));

    /// <summary>The other candidates, by the finals and then by supernet accuracy; of given architectures, all.</summary>
    private static IEnumerable<Architecture> RunnersUp(SearchState state, SearchEvent.ArchitectureSelected selected)
    {
        if (state.Phase is SearchPhase.Finals finals)
            return Finals.Best(finals).Concat(ByAccuracy(finals.Ranked, selected)).Distinct().Where(a => a != selected.Winner).Take(state.Config!.Retrain.Top - 1);
        if (state.Phase is not SearchPhase.Deriving p)
            return [];
        int top = state.Config!.Search.Strategy == StrategyKind.Given ? int.MaxValue : state.Config.Retrain.Top;
        return ByAccuracy(p.Ranked, selected).Where(a => a != selected.Winner).Take(top - 1);
    }

    private static IEnumerable<Architecture> ByAccuracy(ValueList<RankedArchitecture> ranked, SearchEvent.ArchitectureSelected selected) =>
        ranked.Select((r, i) => (r.Architecture, Accuracy: selected.Accuracies.ElementAtOrDefault(i), Rank: i)).OrderByDescending(x => x.Accuracy).ThenBy(x => x.Rank).Select(x => x.Architecture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
