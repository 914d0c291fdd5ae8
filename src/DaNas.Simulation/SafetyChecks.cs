using DaNas.Actors.Searches;
using DaNas.Actors.Wire;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>
/// What must never happen, checked at every step: an acknowledged event that is not in the store, a second writer, a state that is not the
/// fold of the stored events. And at the end: the decisions, the winner and the cost of the clean run.
/// </summary>
public sealed class SafetyChecks
{
    private const int MostReported = 5;

    private readonly List<SearchEvent> stored = [];
    private readonly List<SearchState> folds = [SearchState.Initial];
    private readonly Dictionary<long, SearchEvent> acknowledged = [];
    private readonly HashSet<BlobRef> everLive = [];
    private readonly HashSet<BlobRef> undone = [];
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
        acknowledged[m.Sequence] = m.Event;
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
        SearchEvent[] read = [.. world.Store.Read($"search-{SimulatedSearch.Id}")
            .Select(r => (SearchEvent)WireFormat.Read(r.Manifest, Envelope.PayloadOf(r.Payload)))];
        foreach ((long sequence, SearchEvent e) in acknowledged.Where(a => a.Key > read.Length || !read[a.Key - 1].Equals(a.Value)))
            Violation($"event {sequence} ({e.GetType().Name}) was acknowledged, and the store does not have it at the end");
    }

    /// <summary>
    /// A blob is gone for good. What a lost blob had undone is made again by the same names: an order to discard it that was under way is
    /// no fault.
    /// </summary>
    public void Discarded(BlobRef blob)
    {
        if (State.LiveBlobs.Contains(blob) && !undone.Contains(blob))
            Violation($"blob {blob.Digest.Short} was discarded, and the search stands on it");
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
            everLive.UnionWith(State.LiveBlobs);
            if (e is SearchEvent.BlobLost)
                undone.UnionWith(everLive);
        }
        catch (InvalidDataException wrong)
        {
            Violation($"event {sequence} cannot follow: {wrong.Message}");
            folds.Add(folds[^1]);
        }
    }

    /// <summary>
    /// All of it; what never changes by itself (configuration, space, data) is left out, and of the states to go back to their number and
    /// the newest.
    /// </summary>
    private static bool Same(SearchState a, SearchState b) =>
        (a with { Started = b.Started, Config = b.Config, Space = b.Space, Marks = b.Marks }).Equals(b) && a.Marks.Count == b.Marks.Count
        && (a.Marks.Count == 0 || (a.Marks[^1].Phase.Equals(b.Marks[^1].Phase) && a.Marks[^1].Supernet == b.Marks[^1].Supernet));
}
