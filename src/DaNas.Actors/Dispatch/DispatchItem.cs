using Akka.Actor;
using DaNas.Domain.Faults;
using DaNas.Domain.Work;

namespace DaNas.Actors.Dispatch;

/// <summary>A unit that somebody waits for: queued, or leased to a trainer.</summary>
internal sealed class DispatchItem(DispatchProtocol.Submit asked, IActorRef requester, IActorRef owner)
{
    private const int FreeLosses = 3;
    private const int LongestWait = 30;

    public string Key { get; } = KeyOf(asked.Search, asked.Unit.Id);

    public string Search { get; } = asked.Search;

    public IActorRef Owner { get; set; } = owner;

    public WorkUnit Unit { get; set; } = asked.Unit;

    public IActorRef Requester { get; set; } = requester;

    public long Epoch { get; set; } = asked.Epoch;

    public int Attempt { get; set; }

    /// <summary>Failures by the unit's own fault.</summary>
    public int Failures { get; private set; }

    /// <summary>Failures one after another that say nothing about the unit.</summary>
    public int Losses { get; private set; }

    /// <summary>The dispatcher's tick before which it is not leased again.</summary>
    public long NotBefore { get; private set; }

    /// <summary>Its leases whose end was told while they held.</summary>
    public HashSet<long> Ended { get; } = [];

    public static string KeyOf(string search, string unit) => $"{search}/{unit}";

    /// <summary>The search of a unit's key; empty for none.</summary>
    public static string SearchOf(string? key) => key?.IndexOf('/', StringComparison.Ordinal) is { } end and > 0
        ? key[..end] : string.Empty;

    /// <summary>
    /// Counts a failure. The first losses cost no wait; then 1, 2, 4 ... 30 ticks; a store that cannot be written waits from the first.
    /// </summary>
    public void Count(FailureKind kind, long now)
    {
        if (kind.Counts())
        {
            Failures++;
            Losses = 0;
            return;
        }

        Losses++;
        int waits = kind == FailureKind.StorageUnavailable ? Losses : Losses - FreeLosses;
        NotBefore = waits <= 0 ? now : now + Math.Min(LongestWait, 1L << Math.Min(waits - 1, 10));
    }
}
