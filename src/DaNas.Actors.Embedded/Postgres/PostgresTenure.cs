using System.Diagnostics;
using DaNas.Actors.Journals;
using Npgsql;

namespace DaNas.Actors.Embedded.Postgres;

/// <summary>One term of leadership, from winning the lock to losing it. Who lost it never gets the same one back.</summary>
public sealed class PostgresTenure : IAsyncDisposable
{
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(1);

    private readonly PostgresServer server;
    private readonly Candidate candidate;
    private readonly string lockName;
    private readonly CancellationTokenSource ending = new();
    private readonly TaskCompletionSource<string> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task renewing;
    private long renewedAt = Stopwatch.GetTimestamp();

    private PostgresTenure(PostgresServer server, Candidate candidate, NpgsqlConnection session, string lockName, long epoch)
    {
        this.server = server;
        this.candidate = candidate;
        this.lockName = lockName;
        Session = session;
        Epoch = epoch;
        renewing = Task.Run(RenewAsync);
    }

    public string Cluster => candidate.Cluster;

    /// <summary>Counts the terms of a cluster, from 1.</summary>
    public long Epoch { get; }

    /// <summary>When the data base last took a renewal (<see cref="Stopwatch"/>).</summary>
    public long RenewedAt => Interlocked.Read(ref renewedAt);

    /// <summary>Completes with the reason when this term is over.</summary>
    public Task<string> Lost => lost.Task;

    internal NpgsqlConnection Session { get; }

    internal static async Task<PostgresTenure> BeginAsync(PostgresServer server, Candidate candidate, NpgsqlConnection session, string lockName)
    {
        await using NpgsqlCommand take = new(
            """
            INSERT INTO danas_lease (name, epoch, holder, address, backend, renewed) VALUES ($1, 1, $2, $3, pg_backend_pid(), clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET epoch = danas_lease.epoch + 1, holder = $2, address = $3, backend = pg_backend_pid(), renewed = clock_timestamp()
            RETURNING epoch
            """, session);
        take.Parameters.Add(new() { Value = candidate.Cluster });
        take.Parameters.Add(new() { Value = candidate.Holder });
        take.Parameters.Add(new() { Value = candidate.Address });
        return new PostgresTenure(server, candidate, session, lockName, (long)(await take.ExecuteScalarAsync())!);
    }

    /// <summary>Another session for the same term: only if nobody took over since, and the lock is free again. Throws <see cref="JournalException"/>.</summary>
    internal async Task<NpgsqlConnection> ReopenAsync()
    {
        NpgsqlConnection session = await server.OpenAsync();
        try
        {
            await using NpgsqlCommand again = new(
                """
                UPDATE danas_lease SET backend = pg_backend_pid(), renewed = clock_timestamp()
                WHERE name = $1 AND epoch = $2 AND pg_try_advisory_lock(hashtextextended($3, 0))
                """, session);
            again.Parameters.Add(new() { Value = candidate.Cluster });
            again.Parameters.Add(new() { Value = Epoch });
            again.Parameters.Add(new() { Value = lockName });
            if (await again.ExecuteNonQueryAsync() == 1)
                return session;
            const string reason = "another coordinator leads now; this one steps down";
            lost.TrySetResult(reason);
            throw new JournalException(JournalFault.Fenced, reason);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private static TimeSpan Remaining(long renewed)
    {
        TimeSpan rest = PostgresLease.TimeToLive - Stopwatch.GetElapsedTime(renewed);
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await renewing;
        await Session.DisposeAsync();
        ending.Dispose();
    }

    /// <summary>
    /// Renews on a connection of its own, so that a long append delays nothing. A leader that could not renew for the TTL, by its own clock, takes the
    /// term for lost: another one may lead by now, and the trainers must be free to go there.
    /// </summary>
    private async Task RenewAsync()
    {
        NpgsqlConnection? connection = null;
        long renewed = Stopwatch.GetTimestamp();
        try
        {
            while (!ending.IsCancellationRequested)
            {
                try
                {
                    using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
                    patience.CancelAfter(Remaining(renewed));
                    connection ??= await server.OpenAsync(patience.Token);
                    await using NpgsqlCommand renew = new("UPDATE danas_lease SET renewed = clock_timestamp() WHERE name = $1 AND epoch = $2", connection);
                    renew.Parameters.Add(new() { Value = candidate.Cluster });
                    renew.Parameters.Add(new() { Value = Epoch });
                    if (await renew.ExecuteNonQueryAsync(patience.Token) != 1)
                    {
                        lost.TrySetResult("another coordinator leads now; this one steps down");
                        return;
                    }

                    renewed = Stopwatch.GetTimestamp();
                    Interlocked.Exchange(ref renewedAt, renewed);
                }
                catch (Exception e) when (!ending.IsCancellationRequested && (e is JournalException or OperationCanceledException || PostgresFaults.IsFault(e)))
                {
                    if (connection is not null)
                        await connection.DisposeAsync();
                    connection = null;
                    if (Remaining(renewed) == TimeSpan.Zero)
                    {
                        lost.TrySetResult(FormattableString.Invariant($"{server.Name} has not answered for {PostgresLease.TimeToLive.TotalSeconds:0} s"));
                        return;
                    }
                }

                await Task.Delay(RenewEvery < Remaining(renewed) ? RenewEvery : Remaining(renewed), ending.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The term ends with the process, or has ended.
        }
        finally
        {
            if (connection is not null)
                await connection.DisposeAsync();
        }
    }
}
