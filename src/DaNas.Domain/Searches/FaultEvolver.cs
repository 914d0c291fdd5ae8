using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>The fold over events of faults and of what a user accepted: going back, probing, quarantine, drift.</summary>
internal static class FaultEvolver
{
    /// <summary>The next state, or null where the event is none of these or cannot follow.</summary>
    public static SearchState? Evolve(SearchState state, SearchEvent @event) => @event switch
    {
        SearchEvent.RolledBack e => RollBack(state, e),
        SearchEvent.BlobLost e => Lose(state, e.Blob),
        SearchEvent.ProbingStarted e => state with
        {
            Phase = new SearchPhase.Probing(e.Unit, e.Cause, e.Paths.Select(p => new PathProbe(p, null, string.Empty))
                .ToValueList(), state.Phase),
        },
        SearchEvent.PathProbed e when state.Phase is SearchPhase.Probing p && p.Probes[e.Index].Passed is null => state with
        {
            Cost = state.Cost + e.Cost,
            Phase = p with { Probes = p.Probes.With(e.Index, p.Probes[e.Index] with { Passed = e.Passed, Cause = e.Cause }) },
        },
        SearchEvent.BlocksQuarantined e when state.Phase is SearchPhase.Probing p => Quarantine(state, p, e),
        SearchEvent.NondeterminismDetected e => state with { Nondeterministic = state.Nondeterministic.Add(e.Unit) },
        SearchEvent.ConfigurationChanged e => Untested(Configure(state, e.Configuration, e.ConfigurationHash)),
        SearchEvent.OperationChanged e => Configure(state, e.Configuration, e.ConfigurationHash) with
        {
            // No result changes, so going back stays what it was.
            Marks = state.Marks.Select(m => Configure(m, e.Configuration, e.ConfigurationHash)).ToValueList(),
        },
        SearchEvent.DataChanged e => state with { Started = state.Started! with { Data = e.Data } },
        SearchEvent.EngineChanged e => state with
        {
            Started = state.Started!
            with
            { NumericsProfile = e.NumericsProfile, EngineVersion = e.EngineVersion }
        },
        SearchEvent.SearchForked or SearchEvent.HistoryLost => state,
        _ => null,
    };

    /// <summary>
    /// Goes on; from a failure where it was before, and from probes that blamed nothing with the unit that failed, whose cause was mended.
    /// </summary>
    public static SearchState Resume(SearchState state, SearchEvent.SearchResumed e)
    {
        SearchState on = state with { Epoch = e.Epoch, LostSeconds = state.LostSeconds + e.Lost.Seconds };
        return state.Phase is SearchPhase.Failed failed ? on
            with
        { Phase = failed.Before is SearchPhase.Probing p ? p.Before : failed.Before, BlobsLost = 0 } : on;
    }

    /// <summary>
    /// The marks with the present state among them: the first round's, each stage's first round's, and as many of the newest as rounds
    /// are kept. A state whose weights were collected is no use as a mark.
    /// </summary>
    public static ValueList<SearchState> WithMark(SearchState state)
    {
        SearchState[] all = [.. state.Marks, state with { Marks = [] }];
        int keep = state.Config!.Blobs.KeepRounds;
        return all.Where((m, i) => i >= all.Length - keep || m.Phase is SearchPhase.Training { Round: 0 }).ToValueList();
    }

    private static SearchState RollBack(SearchState state, SearchEvent.RolledBack e)
    {
        SearchState? mark = MarkOf(state, e.Stage, e.Round);
        return mark is null ? throw new InvalidDataException($"round {e.Round} of stage {e.Stage} cannot be gone back to") : state with
        {
            Phase = mark.Phase,
            Plan = mark.Plan,
            Supernet = mark.Supernet,
            Stages = mark.Stages,
            RoundBlobs = mark.RoundBlobs,
            Marks = Before(state, mark),
            Revision = state.Revision + 1,
            RollBacks = state.RollBacks + 1,
            RateScale = e.RateScale,
        };
    }

    /// <summary>The state as it was when a round of the running stage began, or null where it is not kept.</summary>
    public static SearchState? MarkOf(SearchState state, int stage, int round) =>
        state.Phase is SearchPhase.Training now && now.Stage.Index == stage && now.Round == round
            ? state
            : state.Marks.LastOrDefault(m => m.Phase is SearchPhase.Training p && p.Stage.Index == stage && p.Round == round
                && m.Quarantined.Count == state.Quarantined.Count);

    /// <summary>
    /// Back to the newest state that does not stand on the blob. Everything from there is done again with the same names and seeds, so
    /// the decision hash and the cost go back with it; what the user accepted and what faults cost does not.
    /// </summary>
    private static SearchState Lose(SearchState state, BlobRef blob)
    {
        SearchState counted = state with { BlobsLost = state.BlobsLost + 1 };
        switch (state.Phase)
        {
            case SearchPhase.MeasuringDifficulty p:
                ValueList<ProxyProgress> proxies = p.Proxies.Select(x => x.Chain.Without(blob) is var n && n < x.Chain.Count
                    ? x with
                    {
                        Chain = x.Chain.Cut(n),
                        Accuracy = x.Accuracy.Take(n).ToValueList(),
                        Loss = x.Loss.Take(n)
                        .ToValueList()
                    } : x).ToValueList();
                return counted with
                {
                    Phase = new SearchPhase.MeasuringDifficulty(proxies),
                    Cost = Less(state.Cost, p.Proxies.SelectMany(x => x.Chain.Links.Skip(x.Chain.Without(blob))))
                };
            case SearchPhase.Finals p when p.Runs.Any(r => r.Result is null && r.Chain.Has(blob)):
                return counted with { Phase = p with { Runs = Without(p.Runs, blob) }, Cost = Less(state.Cost, LostLinks(p.Runs, blob)) };
            case SearchPhase.Retraining p when p.Runs.Any(r => r.Result is null && r.Chain.Has(blob)):
                return counted with
                {
                    Phase = new SearchPhase.Retraining(Without(p.Runs, blob)),
                    Cost = Less(state.Cost, LostLinks(p.Runs, blob))
                };
        }

        SearchState mark = state.Marks.LastOrDefault(m => m.Supernet != blob && !m.RoundBlobs.Contains(blob))
            ?? throw new InvalidDataException($"there is no state that does not stand on blob {blob.Digest.Short}");
        bool drifted = mark.Config != state.Config || mark.Started != state.Started;
        return mark with
        {
            Marks = Before(state, mark),
            Started = state.Started,
            Config = state.Config,
            Epoch = state.Epoch,
            LostSeconds = state.LostSeconds,
            BlobsLost = counted.BlobsLost,
            Nondeterministic = state.Nondeterministic,
            DecisionHash = drifted ? state.DecisionHash : mark.DecisionHash,
        };
    }

    private static ValueList<RunProgress> Without(ValueList<RunProgress> runs, BlobRef blob) =>
        runs.Select(r => r.Result is null ? r with { Chain = r.Chain.Cut(r.Chain.Without(blob)) } : r).ToValueList();

    private static IEnumerable<ChainLink> LostLinks(ValueList<RunProgress> runs, BlobRef blob) =>
        runs.Where(r => r.Result is null).SelectMany(r => r.Chain.Links.Skip(r.Chain.Without(blob)));

    private static SearchState Quarantine(SearchState state, SearchPhase.Probing phase, SearchEvent.BlocksQuarantined e) => state with
    {
        Alive = e.Alive,
        Quarantined = [.. state.Quarantined, .. e.Blocks],
        Revision = state.Revision + 1,
        Phase = phase.Before switch
        {
            SearchPhase.Training p => p with { Samples = Kept(p.Samples, state.Alive!, e.Alive) },
            SearchPhase.Scoring p => p with
            {
                Samples = Kept(p.Samples, state.Alive!, e.Alive),
                Scores = Evaluation.ScoreTable.Empty,
                Tests = []
            },
            { } other => other,
        },
    };

    /// <summary>Samples [sample][layer][block] without the columns of blocks that left; the rest of a layer sums to 1 again.</summary>
    private static ValueList<ValueList<ValueList<double>>> Kept(
        ValueList<ValueList<ValueList<double>>> samples, AliveBlocks before, AliveBlocks after) =>
        samples.Select(sample => sample.Select((probabilities, l) =>
        {
            double[] kept = [.. probabilities.Where((_, j) => after.Layers[l].Contains(before.Layers[l][j]))];
            double sum = kept.Sum();
            return sum > 0 && kept.Length < probabilities.Count ? kept.Select(p => p / sum).ToValueList() : kept.ToValueList();
        }).ToValueList()).ToValueList();

    /// <summary>Tests and scores were of the configuration before: another ratio asks for other tests.</summary>
    private static SearchState Untested(SearchState state) =>
        state.Config!.Evidence.Kind == EvidenceKind.Effect && state.Phase is SearchPhase.Scoring { Pruned: false } p
        ? state with { Phase = p with { Tests = [], Scores = Evaluation.ScoreTable.Empty } }
        : state;

    private static SearchState Configure(SearchState state, string text, Digest hash) => state with
    {
        Config = SearchConfig.FromCanonicalText(text),
        Started = state.Started! with { Configuration = text, ConfigurationHash = hash },
    };

    private static ValueList<SearchState> Before(SearchState state, SearchState mark) =>
        state.Marks.TakeWhile(m => !ReferenceEquals(m, mark)).ToValueList();

    private static UnitCost Less(UnitCost cost, IEnumerable<ChainLink> dropped)
    {
        UnitCost gone = dropped.Select(d => d.Cost).Aggregate(UnitCost.Zero, UnitCost.Add);
        return new(cost.ForwardImages - gone.ForwardImages, cost.BackwardImages - gone.BackwardImages, cost.ForwardMacs - gone.ForwardMacs);
    }
}
