using System.Diagnostics;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Searches;
using Npgsql;

namespace DaNas.Drills;

/// <summary>What a drill sees of its cluster: over HTTPS, in the journal, and in the logs.</summary>
internal sealed partial class DrillCluster
{
    private static readonly TimeSpan ReadyPatience = TimeSpan.FromMinutes(2);

    /// <summary>The coordinator that leads now; null where nobody does, or nobody can say.</summary>
    public async Task<DrillNode?> LeaderAsync()
    {
        DrillNode?[] leading = await Task.WhenAll(Coordinators.Select(async c =>
        {
            try
            {
                using HttpResponseMessage answer = await http!.GetAsync(new Uri($"https://{c.Http}/leader"));
                return answer.IsSuccessStatusCode ? c : null;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                return null;
            }
        }));
        return leading.FirstOrDefault(c => c is not null);
    }

    /// <summary>Waits until every coordinator is a member that can take over.</summary>
    public async Task CompleteAsync()
    {
        foreach (DrillNode coordinator in Coordinators)
            await ReadyAsync(coordinator);
    }

    /// <summary>Waits until a node says of itself that it is ready.</summary>
    public async Task ReadyAsync(DrillNode node)
    {
        for (long started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < ReadyPatience;)
        {
            try
            {
                using HttpResponseMessage answer = await http!.GetAsync(new Uri($"https://{node.Http}/readyz"));
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // Not yet.
            }

            await Task.Delay(250);
        }

        throw new InvalidDataException($"{node.Name} is not ready after {ReadyPatience.TotalMinutes:0} min");
    }

    /// <summary>
    /// When the next event that is progress was stored after a moment, by the journal; null where none was within the patience.
    /// </summary>
    public async Task<DateTimeOffset?> NextUsefulAsync(DateTimeOffset after, TimeSpan patience)
    {
        long started = Stopwatch.GetTimestamp();
        NpgsqlConnection? connection = null;
        while (Stopwatch.GetElapsedTime(started) < patience)
        {
            try
            {
                connection ??= await Server.OpenAsync();
                await using NpgsqlCommand command = new("SELECT min(created) FROM journal WHERE created > $1 AND manifest IN " +
                    "('round-completed/1', 'block-scored/1')", connection);
                command.Parameters.Add(new() { Value = after.UtcTicks });
                if (await command.ExecuteScalarAsync() is long ticks)
                {
                    await connection.DisposeAsync();
                    return new DateTimeOffset(ticks, TimeSpan.Zero);
                }
            }
            catch (Exception e) when (e is NpgsqlException or JournalException or IOException)
            {
                if (connection is not null)
                    await connection.DisposeAsync();
                connection = null; // The data base is one of the victims.
            }

            await Task.Delay(20);
        }

        if (connection is not null)
            await connection.DisposeAsync();
        return null;
    }

    /// <summary>The newest term of leadership.</summary>
    public async Task<long> TermAsync()
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                await using NpgsqlConnection connection = await Server.OpenAsync();
                await using NpgsqlCommand command = new("SELECT max(epoch) FROM danas_lease WHERE name LIKE '%singleton%'", connection);
                return await command.ExecuteScalarAsync() is long term ? term : 0;
            }
            catch (JournalException) when (tries < 60)
            {
                await Task.Delay(1000);
            }
        }
    }

    /// <summary>What all nodes logged since a moment, in order.</summary>
    public LogLine[] LinesSince(DateTimeOffset at) => [.. Nodes.Where(n => File.Exists(LogOf(n))).SelectMany(c => ReadShared(LogOf(c)))
        .Where(l => l.At >= at).OrderBy(l => l.At)];

    /// <summary>By the leader's log: seconds from a moment until a trainer was there again; null where it was not.</summary>
    public double? Returned(DrillNode trainer, DateTimeOffset at) =>
        Array.Find(LinesSince(at), l => l.Id == (int)LogEvent.DispatcherTrainerJoined
            && l.Cause!.Contains($"//{trainer.Advertised.Remoting}/", StringComparison.Ordinal)) is { } joined ? Math.Round(
            (joined.At - at).TotalSeconds, 3) : null;

    /// <summary>Units that trainers ran more than once, SEARCH/UNIT.</summary>
    public IReadOnlyList<string> UnitsRunAgain() =>
    [
        .. Nodes.Where(n => n.Role == NodeSettings.Trainer).SelectMany(n => ReadShared(LogOf(n)))
            .Where(l => l is { Id: (int)LogEvent.TrainerChanged, To: "Running" })
            .GroupBy(l => $"{l.Search}/{l.Unit}").Where(g => g.Count() > 1).Select(g => g.Key),
    ];

    private static IEnumerable<LogLine> ReadShared(string path)
    {
        using StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } line)
        {
            if (LogLine.Parse(line) is { } read)
                yield return read;
        }
    }
}
