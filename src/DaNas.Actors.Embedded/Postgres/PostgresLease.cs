using System.Diagnostics;
using DaNas.Actors.Journals;
using Npgsql;

namespace DaNas.Actors.Embedded.Postgres;

/// <summary>Who wants to lead: the cluster's name, this process's name, and where others reach it.</summary>
public sealed record Candidate(string Cluster, string Holder, string Address);

/// <summary>
/// Who leads a cluster, decided by PostgreSQL. The leader holds an advisory lock on the very session through which it writes, and renews a row
/// each second; who waits for the lock gets it as soon as that session ends. A leader that does not renew for the TTL, by the clock of whoever
/// watches, has its session ended by the server. No clocks are compared.
/// </summary>
public sealed class PostgresLease(PostgresServer server, Candidate candidate)
{
    /// <summary>A row that has not changed for so long belongs to a leader that is frozen or cut off.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(5);

    /// <summary>A granted advisory lock of this data base under the name in $1; its key of 64 bits stands in two columns.</summary>
    private const string HoldsLock =
        """
        k.locktype = 'advisory' AND k.granted AND k.objsubid = 1 AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND ((k.classid::bigint << 32) | k.objid::bigint) = hashtextextended($1, 0)
        """;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Told once when the store cannot be reached, and once when it can again.</summary>
    public Action<string?>? Outage { get; init; }

    /// <summary>Waits until this process leads. Outages of the store are waited out.</summary>
    public async Task<PostgresTenure> WinAsync(CancellationToken cancellation)
    {
        bool out_ = false;
        for (int failures = 0; ; failures++)
        {
            try
            {
                PostgresTenure tenure = await TryWinAsync(() =>
                {
                    if (out_)
                        Outage?.Invoke(null);
                    out_ = false;
                    failures = 0;
                }, cancellation);
                return tenure;
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested && PostgresFaults.Heals(e))
            {
                if (!out_)
                    Outage?.Invoke((e as JournalException ?? PostgresFaults.Of(server.Name, e)).Message);
                out_ = true;
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(2000, 100 << Math.Min(failures, 5))), cancellation);
            }
        }
    }

    private async Task<PostgresTenure> TryWinAsync(Action reached, CancellationToken cancellation)
    {
        NpgsqlConnection session = await server.OpenAsync(cancellation);
        try
        {
            reached();
            using CancellationTokenSource won = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            Task watching = WatchAsync(won.Token);
            try
            {
                await using NpgsqlCommand wait = new("SELECT pg_advisory_lock(hashtextextended($1, 0))", session) { CommandTimeout = 0 };
                wait.Parameters.Add(new() { Value = LockName });
                Task waiting = wait.ExecuteNonQueryAsync(won.Token);
                if (await Task.WhenAny(waiting, watching) == watching)
                    throw new JournalException(JournalFault.Unavailable, $"{server.Name} does not answer the coordinator that watches the lease");
                await waiting;
            }
            finally
            {
                await won.CancelAsync();
                await watching;
            }

            return await PostgresTenure.BeginAsync(server, candidate, session, LockName);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private string LockName => $"danas cluster {candidate.Cluster}";

    /// <summary>
    /// Ends the session that holds the lock while the leader's row does not change: that of a leader that is frozen, or of a coordinator that froze before it could lead.
    /// The watch ends when the store does not answer: then waiting is begun anew.
    /// </summary>
    private async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            await using NpgsqlConnection eye = await server.OpenAsync(cancellation);
            (int Holder, long Epoch, DateTime Renewed) seen = default;
            long since = Stopwatch.GetTimestamp();
            while (true)
            {
                (int Holder, long Epoch, DateTime Renewed) now = await LookAsync(eye, cancellation);
                if (now != seen)
                    (seen, since) = (now, Stopwatch.GetTimestamp()); // A new holder has the whole time from now.
                if (now.Holder != 0 && Stopwatch.GetElapsedTime(since) > TimeToLive)
                {
                    await EndSessionAsync(eye, now.Holder, cancellation);
                    since = Stopwatch.GetTimestamp();
                }

                await Task.Delay(Look, cancellation);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or JournalException || PostgresFaults.IsFault(e))
        {
            // Either the lock is won, or the store is away: the waiting session says so.
        }
    }

    /// <summary>The server process that holds the lock (0: none), and what the leader's row says.</summary>
    private async Task<(int Holder, long Epoch, DateTime Renewed)> LookAsync(NpgsqlConnection eye, CancellationToken cancellation)
    {
        await using NpgsqlCommand look = new(
            $"SELECT coalesce((SELECT min(k.pid) FROM pg_locks k WHERE {HoldsLock}), 0), coalesce(max(l.epoch), 0), coalesce(max(l.renewed), '-infinity') FROM danas_lease l WHERE l.name = $2", eye);
        look.Parameters.Add(new() { Value = LockName });
        look.Parameters.Add(new() { Value = candidate.Cluster });
        await using NpgsqlDataReader row = await look.ExecuteReaderAsync(cancellation);
        return await row.ReadAsync(cancellation) ? (row.GetInt32(0), row.GetInt64(1), row.GetDateTime(2)) : default;
    }

    /// <summary>Only a session that still holds the lock.</summary>
    private async Task EndSessionAsync(NpgsqlConnection eye, int holder, CancellationToken cancellation)
    {
        await using NpgsqlCommand end = new($"SELECT pg_terminate_backend(k.pid) FROM pg_locks k WHERE {HoldsLock} AND k.pid = $2", eye);
        end.Parameters.Add(new() { Value = LockName });
        end.Parameters.Add(new() { Value = holder });
        await end.ExecuteNonQueryAsync(cancellation);
    }
}
