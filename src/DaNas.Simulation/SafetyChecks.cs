using DaNas.Actors.Searches;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>
/// What must never happen, checked at every step: an acknowledged event that is not in the store, a second writer, a state that is not the fold
/// of the stored events. And at the end: the decisions, the winner and the cost of the clean run.
/// </summary>
public sealed class SafetyChecks
{
    private const int MostReported = 5;

    private readonly List<SearchEvent> stored = [];
    private readonly List<SearchState> folds = [SearchState.Initial];
    private readonly HashSet<long> acknowledged = [];
    private readonly SimulatedWorld world;
    private long highestEpoch;

    public SafetyChecks(SimulatedWorld world) => this.world = world;

    /// <summary>What went wrong, with the virtual time; empty is good.</summary>
    public List<string> Violations { get; } = [];

    public IReadOnlyList<SearchEvent> Events => stored;

    /// <summary>The fold of everything stored.</summary>
    public SearchState State => folds[^1];

    /// <summary>Whether somebody outside was told that the search is over.</summary>
    public bool EndAcknowledged { get; private set; }

    /// <summary>Somebody outside was told of an event and of the state after it.</summary>
    public void Acknowledge(SearchProtocol.Stored m)
    {
        acknowledged.Add(m.Sequence);
        if (m.Sequence > stored.Count || !stored[(int)m.Sequence - 1].Equals(m.Event))
        {
            Violation($"event {m.Sequence} ({m.Event.GetType().Name}) was acknowledged, and the store does not have it");
            return;
        }

        if (!Same(folds[(int)m.Sequence], m.State))
            Violation($"after event {m.Sequence} the actor's state is not the fold of the stored events");
        EndAcknowledged |= m.State.IsOver;
    }

    /// <summary>Somebody outside was told that a search that was found in the store is over.</summary>
    public void AcknowledgeEnd(SearchState state)
    {
        if (!Same(State, state) || !state.IsOver)
            Violation("an end was told that is not in the store");
        EndAcknowledged |= state.IsOver;
    }

    /// <summary>The end against the clean run.</summary>
    public void CompareWith(CleanRun clean)
    {
        SearchState end = State;
        if (end.DecisionHash != clean.State.DecisionHash)
            Violation($"decision hash {end.DecisionHash.Short}, clean {clean.State.DecisionHash.Short}");
        if (end.Cost != clean.State.Cost)
            Violation($"cost {end.Cost}, clean {clean.State.Cost}: a result was counted twice or not at all");
        if ((end.Phase as SearchPhase.Completed)?.WeightsHash != (clean.State.Phase as SearchPhase.Completed)?.WeightsHash)
            Violation($"the end is {end.Phase}, clean {clean.State.Phase}");
        if (acknowledged.Any(s => s > stored.Count))
            Violation("an acknowledged event is gone");
    }

    public void Violation(string text)
    {
        if (Violations.Count < MostReported)
            Violations.Add($"{world.Elapsed:d\\.hh\\:mm\\:ss\\.fff} {text}");
    }

    /// <summary>An event became durable.</summary>
    public void Durable(long sequence, long epoch, SearchEvent e)
    {
        if (epoch < highestEpoch)
            Violation($"event {sequence} ({e.GetType().Name}) was written under epoch {epoch} after epoch {highestEpoch}: two writers");
        highestEpoch = Math.Max(highestEpoch, epoch);
        stored.Add(e);
        try
        {
            folds.Add(SearchEvolver.Evolve(folds[^1], e));
        }
        catch (InvalidDataException wrong)
        {
            Violation($"event {sequence} cannot follow: {wrong.Message}");
            folds.Add(folds[^1]);
        }
    }

    private static bool Same(SearchState a, SearchState b) =>
        a.DecisionHash == b.DecisionHash && a.Cost == b.Cost && a.LostSeconds.Equals(b.LostSeconds) && a.Supernet == b.Supernet
        && a.Revision == b.Revision && a.Epoch == b.Epoch && Equals(a.Alive, b.Alive) && a.Phase.Equals(b.Phase);
}
