using System.Globalization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

/// <summary>
/// The choice among the ranked architectures by successive halving (Jamieson and Talwalkar 2016): each is trained by itself for a short
/// while on the weights split and measured on the validation split, the better part goes on to a longer training from scratch, and the best
/// of the last rung wins. Every rung costs about as much.
/// </summary>
public static class Finals
{
    private const string Prefix = "final-";

    /// <summary>Whether a run is one of the finals and not a retraining.</summary>
    public static bool IsFinal(string run) => run.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>How many of those that begin the first rung begin a rung, counted from 0.</summary>
    public static int Finalists(int first, FinalOptions options, int rung) =>
        Enumerable.Range(0, rung).Aggregate(first, (n, _) => Kept(n, options));

    /// <summary>How many of so many candidates begin the first rung.</summary>
    public static int Begin(SearchConfig config, int candidates) =>
        config.Finals.Count > 0 && Strategies.Strategy.Of(config).TrainsSupernet ? Math.Min(config.Finals.Count, candidates) : candidates;

    /// <summary>Optimiser steps of one training of a rung: epochs over the weights split, longer by 1 / keep with each rung.</summary>
    public static int Steps(SearchConfig config, DatasetSummary data, int rung) => Math.Max(1, (int)Math.Ceiling(
        (config.Finals.Epochs * Math.Pow(1 / config.Finals.Keep, rung) * data.Weights.Sum(n => (long)n) / config.Retrain.Batch) - 1e-9));

    internal static SearchPhase.Finals Open(SearchPhase phase, SearchEvent.FinalsOpened e)
    {
        (ValueList<RankedArchitecture> ranked, ValueList<double> accuracies) = phase switch
        {
            SearchPhase.Deriving p => (p.Ranked, p.Scores.OrderBy(s => s.Rank).Select(s => s.Accuracy).ToValueList()),
            SearchPhase.Finals p => (p.Ranked, p.Accuracies),
            _ => throw new InvalidDataException($"finals cannot follow {phase.GetType().Name}: the journal is not one of this product's"),
        };
        return new(ranked, accuracies, e.Rung, e.Finalists.Select(
            (a, i) => new RunProgress(Invariant($"{Prefix}{e.Rung + 1}-{i + 1}"), a, UnitChain.Empty, null)).ToValueList());
    }

    /// <summary>Who begins: the ranked architectures, the best by supernet accuracy where they have one.</summary>
    internal static ValueList<Architecture> First(SearchPhase.Deriving p, SearchConfig config) => (p.Scores.Count == 0
        ? p.Ranked.Select(r => r.Architecture)
        : p.Scores.OrderByDescending(s => s.Accuracy).ThenBy(s => s.Rank).Select(s => p.Ranked[s.Rank].Architecture)).Take(
            Begin(config, p.Ranked.Count)).ToValueList();

    /// <summary>
    /// Who goes on from a rung whose runs are all measured; null: the first one has won. Ties go to the one that began the rung first: the
    /// better one so far.
    /// </summary>
    internal static SearchEvent.FinalsOpened? Next(SearchPhase.Finals phase, FinalOptions options)
    {
        int kept = Kept(phase.Runs.Count, options);
        return phase.Rung + 1 < options.Rungs && kept > 1 ? new(phase.Rung + 1, Best(phase).Take(kept).ToValueList()) : null;
    }

    /// <summary>A finalist whose training fails for good is out with accuracy 0; null where no other one is left.</summary>
    internal static SearchEvent.FinalistMeasured? Out(SearchPhase.Finals phase, string unit)
    {
        string run = Work.UnitIds.Text(unit, 1);
        return phase.Runs.Any(r => r.Name != run && r.Result is not { TestAccuracy: 0 })
            ? new(run, phase.Runs.First(r => r.Name == run).Architecture, 0, Digest.Of("failed"))
            : null;
    }

    /// <summary>The rung of a run, counted from 1.</summary>
    public static int RungOf(string run) => int.Parse(run.Split('-')[1], CultureInfo.InvariantCulture);

    /// <summary>The architectures that were measured, by the last rung that they reached and their accuracy in it.</summary>
    public static IEnumerable<Architecture> Order(IEnumerable<SearchEvent> events) =>
        events.OfType<SearchEvent.FinalistMeasured>().OrderByDescending(f => RungOf(f.Run)).ThenByDescending(f => f.Accuracy)
            .Select(f => f.Architecture).Distinct();

    /// <summary>The finalists, best first.</summary>
    internal static IEnumerable<Architecture> Best(SearchPhase.Finals phase) =>
        phase.Runs.Select((r, i) => (r, i)).OrderByDescending(x => x.r.Result!.TestAccuracy).ThenBy(x => x.i).Select(x => x.r.Architecture);

    private static int Kept(int count, FinalOptions options) =>
        count <= 1 ? count : Math.Clamp((int)Math.Ceiling((count * options.Keep) - 1e-9), 1, count - 1);
}
