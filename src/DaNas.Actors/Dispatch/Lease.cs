using Akka.Actor;
using DaNas.Domain.Values;

namespace DaNas.Actors.Dispatch;

/// <summary>What the dispatcher knows of one trainer, and the attempt that it gave to it.</summary>
internal sealed class Lease(IActorRef trainer, string host)
{
    /// <summary>The trainer's node, HOST:PORT.</summary>
    public string Host => host;

    private const int RememberedBlobs = 64;
    private const int UnfitTicks = 60;
    private const int LongestUnfit = 3600;

    private readonly Queue<BlobRef> order = new();
    private readonly HashSet<BlobRef> blobs = [];

    /// <summary>Its newest incarnation: a process that was started again has the same path.</summary>
    public IActorRef Trainer { get; set; } = trainer;

    public DispatchItem? Running { get; private set; }

    /// <summary>The attempt's number; 0 where the trainer had it from a former dispatcher.</summary>
    public int Attempt { get; private set; }

    /// <summary>The attempt's lease, by which its end is known.</summary>
    public long Id { get; private set; }

    /// <summary>The tick at which it was given.</summary>
    public long Since { get; private set; }

    /// <summary>Busy with something that is not leased to it any more, or never was.</summary>
    public bool Busy { get; set; }

    /// <summary>The unit that it says it is busy with, and under which lease.</summary>
    public string? BusyWith { get; set; }

    public long BusyLease { get; set; }

    /// <summary>Units that it says it has done, told before it was known whether its results count.</summary>
    public HashSet<string> Offers { get; } = new(StringComparer.Ordinal);

    /// <summary>The tick at which it was first heard of.</summary>
    public long Joined { get; init; }

    public long Seen { get; set; }

    public double Silent { get; set; }

    /// <summary>The unit that was taken from it last, although it may still be busy with it.</summary>
    public string? Withdrawn { get; set; }

    /// <summary>
    /// Searches whose units it cannot run (another numerics profile, other data, too little memory): the tick at which it is asked again,
    /// and how often it has refused.
    /// </summary>
    private readonly Dictionary<string, (long Until, int Times)> unfit = new(StringComparer.Ordinal);

    public bool Fits(string search, long now) => unfit.GetValueOrDefault(search).Until <= now;

    /// <summary>What was wrong may be mended: it is asked again after a minute, then two, and so on to an hour.</summary>
    public void Refuses(string search, long now)
    {
        int times = unfit.GetValueOrDefault(search).Times;
        unfit[search] = (now + Math.Min(LongestUnfit, UnfitTicks << Math.Min(times, 6)), times + 1);
    }

    /// <summary>The search that it worked for last, and since when without a break.</summary>
    public string? Search { get; private set; }

    public long WithSearchSince { get; private set; }

    public void Give(DispatchItem item, (int Number, long Lease) attempt, long now)
    {
        Running = item;
        Withdrawn = null;
        (Attempt, Id) = attempt;
        Since = now;
        Silent = 0;
        if (Search != item.Search)
            (Search, WithSearchSince) = (item.Search, now);
        foreach (BlobRef input in Domain.Work.WorkUnit.InputsOf(item.Unit))
            Remember(input);
    }

    public DispatchItem? Take()
    {
        DispatchItem? item = Running;
        Running = null;
        return item;
    }

    /// <summary>It has done nothing yet: a first unit costs it the start of a process, and the fetching of what the unit needs.</summary>
    public bool IsNew => blobs.Count == 0;

    /// <summary>Whether a unit can begin there without fetching anything.</summary>
    public bool HasInputsOf(DispatchItem item) => Domain.Work.WorkUnit.InputsOf(item.Unit).All(blobs.Contains);

    public void Remember(BlobRef? blob)
    {
        if (blob is null || !blobs.Add(blob))
            return;
        order.Enqueue(blob);
        if (order.Count > RememberedBlobs)
            blobs.Remove(order.Dequeue());
    }
}
