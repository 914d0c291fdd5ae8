namespace DaNas.Actors.Dispatch;

/// <summary>
/// Which unit an idle trainer gets. Searches share trainers evenly: the one with the fewest running units comes first, but a trainer stays
/// with a search for a while, since changing costs it a start. Within a search, first come first served, units whose inputs are there
/// already before others. When nothing waits, the slowest running unit is run a second time, once it takes far longer than its kind does.
/// </summary>
internal sealed class DispatchPolicy
{
    private const int StickyTicks = 30;
    private const int Samples = 32;
    private const int FewestSamples = 3;
    private const int ShortestStraggler = 10;
    private const double Straggles = 2;

    private readonly Dictionary<(string Search, Type Kind), (Queue<long> Known, double Patience)> durations = [];

    /// <summary>
    /// The unit that an idle trainer gets; null where none waits that it can run. Running: units under way of each search.
    /// </summary>
    public static DispatchItem? Next(IEnumerable<DispatchItem> queue, Lease lease, IReadOnlyDictionary<string, int> running, long now)
    {
        Dictionary<string, List<DispatchItem>> waiting = new(StringComparer.Ordinal);
        foreach (DispatchItem item in queue.Where(i => i.NotBefore <= now && lease.Fits(i.Search, now)))
        {
            if (waiting.TryGetValue(item.Search, out List<DispatchItem>? known))
                known.Add(item);
            else
                waiting[item.Search] = [item];
        }

        if (waiting.Count == 0)
            return null;
        List<DispatchItem> of = waiting.Count == 1 ? waiting.Values.First()
            : lease.Search is { } last && now - lease.WithSearchSince < StickyTicks
                && waiting.TryGetValue(last, out List<DispatchItem>? stay) ? stay
            : waiting.MinBy(w => (running.GetValueOrDefault(w.Key), w.Key == lease.Search ? 1 : 0)).Value;
        return of.FirstOrDefault(lease.HasInputsOf) ?? of[0];
    }

    /// <summary>Units under way of each search.</summary>
    public static Dictionary<string, int> Running(IReadOnlyList<Lease> all)
    {
        Dictionary<string, int> running = new(StringComparer.Ordinal);
        foreach (Lease lease in all)
        {
            if (lease.Running is { } item)
                running[item.Search] = running.GetValueOrDefault(item.Search) + 1;
        }

        return running;
    }

    /// <summary>Running units that are worth a second attempt elsewhere, the slowest first.</summary>
    public List<DispatchItem> Stragglers(IReadOnlyList<Lease> all, long now)
    {
        List<Lease> slow = [.. all.Where(l => l.Running is { } item && now - l.Since > Patience(item))];
        return slow.Count == 0 ? [] : [.. slow.Where(l => all.Count(o => o.Running == l.Running) == 1).OrderBy(l => l.Since)
            .Select(l => l.Running!)];
    }

    public void Forget(string search)
    {
        foreach ((string Search, Type) key in durations.Keys.Where(k => k.Search == search).ToList())
            durations.Remove(key);
    }

    public void Took(DispatchItem item, long ticks)
    {
        (string, Type) key = (item.Search, item.Unit.GetType());
        Queue<long> known = durations.GetValueOrDefault(key).Known ?? new();
        known.Enqueue(ticks);
        if (known.Count > Samples)
            known.Dequeue();
        double patience = known.Count < FewestSamples ? double.PositiveInfinity
            : Math.Max(ShortestStraggler, Straggles * (1 + known.Order().ElementAt(known.Count / 2)));
        durations[key] = (known, patience);
    }

    private double Patience(DispatchItem item) => durations.TryGetValue(
        (item.Search, item.Unit.GetType()), out (Queue<long>, double Patience) known) ? known.Patience : double.PositiveInfinity;
}
