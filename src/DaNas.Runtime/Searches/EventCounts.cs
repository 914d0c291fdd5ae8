using System.Globalization;
using DaNas.Runtime.Configuration;

namespace DaNas.Runtime.Searches;

/// <summary>A point in the history of a search, named by a number of events or by a time. All throw <see cref="UsageException"/>.</summary>
internal static class EventCounts
{
    /// <summary>How many events were stored by a moment, or by a number of them.</summary>
    public static int At(SearchRecord record, string? at)
    {
        if (at is null)
            return record.Events.Count;
        if (int.TryParse(at, CultureInfo.InvariantCulture, out int count))
            return Within(record, count, "--at");
        DateTimeOffset last = record.Events[^1].Created.ToLocalTime(), first = record.Events[0].Created.ToLocalTime();
        DateTimeOffset time = TimeOnly.TryParse(at, CultureInfo.InvariantCulture, out TimeOnly clock)
            ? new DateTimeOffset(last.Date + clock.ToTimeSpan(), last.Offset)
            : DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeLocal, out DateTimeOffset whole) ? whole
            : throw new UsageException($"--at {at}: use a number of events, or a time such as 02:13 or 2026-03-01T02:13");
        int stored = record.Events.Count(e => e.Created <= time);
        return stored > 0 ? stored : throw new UsageException(
            Invariant($"--at {at}: the first event of the search was recorded at {first:yyyy-MM-dd HH:mm:ss}"));
    }

    public static int Within(SearchRecord record, int count, string option) => count >= 1 && count <= record.Events.Count
        ? count
        : throw new UsageException(Invariant($"{option} {count}: search {record.Id} has events 1 to {record.Events.Count}"));
}
