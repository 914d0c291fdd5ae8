using DaNas.Domain.Work;

namespace DaNas.Actors.Dispatch;

/// <summary>
/// Which unit an idle trainer gets. Searches share trainers evenly: the one with the fewest running units comes first, but a trainer stays with a
/// search for a while, since changing costs it a start. Within a search, first come first served, units whose inputs are there already before
/// others. When nothing waits, the slowest running unit is run a second time, once it takes far longer than its kind does.
/// </summary>
internal sealed class DispatchPolicy
{
    private const int StickyTicks = 30;
    private const int Samples = 32;
    private const int FewestSamples = 3;
    private const int ShortestStraggler = 3;
    private const double Straggles = 2;

    private readonly Dictionary<Type, Queue<long>> durations = [];

    public static DispatchItem? Next(IEnumerable<DispatchItem> queue, Lease lease, IReadOnlyCollection<Lease> all, long now)
    {
        Dictionary<string, List<DispatchItem>> waiting = new(StringComparer.Ordinal);
        foreach (DispatchItem item in queue.Where(i => i.NotBefore <= now && !lease.Unfit.Contains(i.Search)))
        {
            if (waiting.TryGetValue(item.Search, out List<DispatchItem>? known))
                known.Add(item);
            else
                waiting[item.Search] = [item];
        }

        if (waiting.Count == 0)
            return null;
        List<DispatchItem> of = waiting.Count == 1 ? waiting.Values.First()
            : lease.Search is { } last && now - lease.WithSearchSince < StickyTicks && waiting.TryGetValue(last, out List<DispatchItem>? stay) ? stay
            : waiting.MinBy(w => (all.Count(l => l.Running?.Search == w.Key), w.Key == lease.Search ? 1 : 0)).Value;
        return of.FirstOrDefault(lease.HasInputsOf) ?? of[0];
    }

    /// <summary>A running unit that is worth a second attempt elsewhere; null where none is.</summary>
    public DispatchItem? Straggler(Lease idle, IReadOnlyCollection<Lease> all, long now) => all
        .Where(l => l.Running is { } item && !idle.Unfit.Contains(item.Search) && all.Count(o => o.Running == item) == 1 && now - l.Since > Patience(item.Unit))
        .OrderBy(l => l.Since).FirstOrDefault()?.Running;

    public void Took(WorkUnit unit, long ticks)
    {
        if (!durations.TryGetValue(unit.GetType(), out Queue<long>? known))
            durations[unit.GetType()] = known = new();
        known.Enqueue(ticks);
        if (known.Count > Samples)
            known.Dequeue();
    }

    private double Patience(WorkUnit unit)
    {
        if (!durations.TryGetValue(unit.GetType(), out Queue<long>? known) || known.Count < FewestSamples)
            return double.PositiveInfinity;
        return Math.Max(ShortestStraggler, Straggles * (1 + known.Order().ElementAt(known.Count / 2)));
    }
}
