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

    /// <summary>Ends the session of a leader whose row does not change. It ends when the store does not answer: then waiting is begun anew.</summary>
    private async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            await using NpgsqlConnection eye = await server.OpenAsync(cancellation);
            (long Epoch, DateTime Renewed) seen = default;
            long since = Stopwatch.GetTimestamp();
            while (true)
            {
                await using NpgsqlCommand look = new("SELECT epoch, renewed, backend FROM danas_lease WHERE name = $1", eye);
                look.Parameters.Add(new() { Value = candidate.Cluster });
                int backend = 0;
                await using (NpgsqlDataReader row = await look.ExecuteReaderAsync(cancellation))
                {
                    if (await row.ReadAsync(cancellation))
                    {
                        (long, DateTime) now = (row.GetInt64(0), row.GetDateTime(1));
                        backend = row.GetInt32(2);
                        if (now != seen)
                            (seen, since) = (now, Stopwatch.GetTimestamp());
                    }
                }

                if (backend != 0 && Stopwatch.GetElapsedTime(since) > TimeToLive)
                {
                    await EndSessionAsync(eye, backend, seen.Epoch, cancellation);
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

    /// <summary>Only a session that holds the lock and is still the one in the row.</summary>
    private async Task EndSessionAsync(NpgsqlConnection eye, int backend, long epoch, CancellationToken cancellation)
    {
        await using NpgsqlCommand end = new(
            """
            SELECT pg_terminate_backend(l.backend) FROM danas_lease l
            JOIN pg_stat_activity a ON a.pid = l.backend AND a.datname = current_database()
            WHERE l.name = $1 AND l.backend = $2 AND l.epoch = $3
              AND EXISTS (SELECT 1 FROM pg_locks k WHERE k.pid = l.backend AND k.locktype = 'advisory' AND k.granted)
            """, eye);
        end.Parameters.Add(new() { Value = candidate.Cluster });
        end.Parameters.Add(new() { Value = backend });
        end.Parameters.Add(new() { Value = epoch });
        await end.ExecuteNonQueryAsync(cancellation);
    }
}
