using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>What follows from faults: failed attempts, lost blobs, divergence, poison, and resuming under other conditions. Pure.</summary>
internal static class FaultDecider
{
    /// <summary>A disk that loses more blobs than this is not worth another try.</summary>
    private const int MostBlobsLost = 50;

    /// <summary>A failure of a unit that nobody waits for any more (its result was accepted meanwhile) says nothing.</summary>
    public static Decision Failure(SearchState state, SearchCommand.RecordFailedAttempt c)
    {
        if (!OutstandingWork.IsOutstanding(state, c.Unit))
            return new Decision.Ignored($"{c.Unit} is not outstanding any more");
        string cause = $"{c.Kind}: {c.Cause}";
        SearchEvent failed = new SearchEvent.AttemptFailed(c.Unit, c.Attempt, cause, c.Kind.Counts(), new Timing(c.LostSeconds));
        if (c.Blob is { } blob && state.Reads(blob))
        {
            return state.BlobsLost >= MostBlobsLost
                ? SearchDecider.Follow(state, failed, new SearchEvent.SearchFailed(
                    $"{state.BlobsLost} stored blobs were lost: {c.Cause}", "replace the disk, then resume"))
                : SearchDecider.Follow(state, failed, new SearchEvent.BlobLost(blob, c.Cause));
        }

        if (!c.Exhausted)
            return new Decision.Accepted([failed]);
        SearchEvent stop = new SearchEvent.SearchFailed($"unit {c.Unit} failed {c.Attempt} times: {cause}", c.Kind.Remedy());
        return state.Phase switch
        {
            SearchPhase.Probing => SearchDecider.Follow(state, failed,
                new SearchEvent.PathProbed(UnitIds.Last(c.Unit), false, cause, UnitCost.Zero, new Timing(c.LostSeconds))),
            SearchPhase.Training p when c.Kind == FailureKind.NotFinite =>
                SearchDecider.Follow(state, failed, Divergence(state, p, c.Unit, cause)),
            SearchPhase.Training or SearchPhase.Scoring when state.Config!.Faults.Poison == PoisonAction.Quarantine =>
                SearchDecider.Follow(state, failed, Probes(state, c.Unit, cause)),
            SearchPhase.Finals p when Finals.Out(p, c.Unit) is { } @out => SearchDecider.Follow(state, failed, @out),
            _ => new Decision.Accepted([failed, stop]),
        };
    }

    /// <summary>A late result is lost work; one that differs says that the machines do not compute the same.</summary>
    public static Decision Late(SearchState state, SearchCommand.RecordLateResult c)
    {
        SearchEvent lost = new SearchEvent.AttemptFailed(c.Unit, c.Attempt, "late: another attempt's result had been accepted", false,
            new Timing(c.LostSeconds));
        if (state.Phase is SearchPhase.NotStarted || state.IsOver)
            return new Decision.Ignored("the search is over");
        return c is { First: { } first, Second: { } second } && !state.Nondeterministic.Contains(c.Unit)
            ? new Decision.Accepted([lost, new SearchEvent.NondeterminismDetected(c.Unit, first, second)])
            : new Decision.Accepted([lost]);
    }

    public static Decision Diverged(SearchState state, SearchPhase.Training phase, string cause) =>
        SearchDecider.Follow(state, Divergence(state, phase, OutstandingWork.Of(state)[0].Id, cause));

    /// <summary>All probes have answered: blame blocks, or stop where none can be blamed or a layer would be left empty.</summary>
    public static SearchEvent Verdict(SearchState state, SearchPhase.Probing phase)
    {
        ValueList<BlockRequest> blamed = PathProbes.Blame(state.Alive!, phase.Probes);
        string because = $"unit {phase.Unit} failed for good ({phase.Cause})";
        if (blamed.Count == 0)
            return new SearchEvent.SearchFailed($"{because}, and {phase.Probes.Count} probe paths blame no block",
                "look at the log for the cause ('danas logs ID'), mend it, and resume");
        AliveBlocks alive = state.Alive!.Without(blamed.Select(b => (b.Layer, b.Block)).ToHashSet());
        string names = string.Join(", ", blamed.Select(Name));
        if (alive.Layers.Any(l => l.Count == 0))
            return new SearchEvent.SearchFailed($"{because}; blamed: {names}, and a layer would have no block left",
                "mend the block or take it out of the space, then start a new search");
        PathProbe example = phase.Probes.First(p => p.Passed == false && p.Path[blamed[0].Layer] == blamed[0].Block);
        return new SearchEvent.BlocksQuarantined(blamed, alive,
            new Remark($"{because}; every path through {names} fails: {example.Cause}"));
    }

    /// <summary>Takes over; refuses other conditions than the stored ones unless the user accepted them.</summary>
    public static Decision Resume(SearchState state, SearchCommand.Resume c)
    {
        SearchEvent.SearchStarted started = state.Started!;
        if (state.Phase is SearchPhase.Completed)
            return new Decision.Ignored("the search is over");
        if (c.NumericsProfile != started.NumericsProfile && c.Accepted is not { Engine: true })
        {
            return new Decision.Rejected(
                $"the search was started with numerics profile '{started.NumericsProfile}', here it would be '{c.NumericsProfile}': " +
                    $"bit-identical results are not possible; resume on the same libtorch, thread count and device, or go on with " +
                    $"--accept, which records the change");
        }

        List<SearchEvent> events = [];
        if (c.Accepted is { } drift)
        {
            if (drift.History is { } history)
                events.Add(history);
            if (drift.Engine && (c.NumericsProfile != started.NumericsProfile || drift.EngineVersion != started.EngineVersion))
                events.Add(new SearchEvent.EngineChanged(c.NumericsProfile, drift.EngineVersion, ConfigDrift.Of(("numerics profile",
                    started.NumericsProfile, c.NumericsProfile), ("engine", started.EngineVersion, drift.EngineVersion))));
            if (drift.Data is { } data)
                events.Add(new SearchEvent.DataChanged(data, ConfigDrift.Of(started.Data, data)));
            if (drift.Configuration is { } text)
                events.Add(ConfigDrift.Event(started.Configuration, text));
        }

        return SearchDecider.Follow(
            state, [.. events, new SearchEvent.SearchResumed(c.Epoch, c.NumericsProfile, new Timing(c.LostSeconds))]);
    }

    private static SearchEvent Divergence(SearchState state, SearchPhase.Training phase, string unit, string cause)
    {
        FaultOptions o = state.Config!.Faults;
        if (o.Divergence == DivergenceAction.Stop)
            return new SearchEvent.SearchFailed($"training diverged in unit {unit}: {cause}", FailureKind.NotFinite.Remedy());
        if (state.RollBacks < o.RollBacks)
        {
            int round = Math.Max(0, phase.Round - state.RollBacks);
            SearchState mark = FaultEvolver.MarkOf(state, phase.Stage.Index, round) is { } m
                && (m.Supernet is null || state.LiveBlobs.Contains(m.Supernet)) ? m : state;
            return new SearchEvent.RolledBack(phase.Stage.Index, ((SearchPhase.Training)mark.Phase).Round, mark.Supernet, new Remark(cause),
                state.RateScale * o.RateFactor);
        }

        return o.Poison == PoisonAction.Quarantine
            ? Probes(state, unit, cause)
            : new SearchEvent.SearchFailed($"training diverged in unit {unit} after {state.RollBacks} roll-backs: {cause}",
                FailureKind.NotFinite.Remedy());
    }

    private static SearchEvent.ProbingStarted Probes(SearchState state, string unit, string cause) =>
        new(unit, cause, PathProbes.Plan(state.Alive!, state.Config!.Faults.ProbeSets).Select(p => p.Path).ToValueList());

    private static string Name(BlockRequest b) => Invariant($"L{b.Layer + 1:00}/{b.Block}");
}
