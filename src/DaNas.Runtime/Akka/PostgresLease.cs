using System.Diagnostics;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Coordination;
using DaNas.Actors.Journals;
using DaNas.Runtime.Journal.Postgres;
using Npgsql;

namespace DaNas.Runtime.Akka;

/// <summary>
/// Akka's lease in PostgreSQL, for the split-brain resolver and the cluster singleton: an advisory lock on a session of its own and a row
/// that the holder renews. Whoever waits watches the row all the time and ends the session of a holder whose row stands still for the time
/// to live (it is frozen or cut off), not counting times in which the watcher stood still itself. No clocks are compared.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001",
    Justification = "Akka keeps leases as long as the actor system lives.")]
public sealed class PostgresLease : Lease
{
    /// <summary>A granted advisory lock of this data base under the name in $1; its key of 64 bits stands in two columns.</summary>
    private const string HoldsLock =
        """
        k.locktype = 'advisory' AND k.granted AND k.objsubid = 1
        AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND ((k.classid::bigint << 32) | k.objid::bigint) = hashtextextended($1, 0)
        """;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two looks that should be a quarter of a second apart: longer means that this process stood still.</summary>
    private static readonly TimeSpan StoodStill = TimeSpan.FromSeconds(1);

    private readonly LeaseStore store;
    private readonly string name;
    private readonly SemaphoreSlim turn = new(1);
    private Tenure? held;
    private readonly CancellationTokenSource over = new();
    private int wanted;

    public PostgresLease(LeaseSettings settings, ExtendedActorSystem system)
        : base(settings)
    {
        store = system.Settings.Setup.Get<LeaseStore>().Value;
        name = store.NameOf(settings.LeaseName);
        system.RegisterOnTermination(over.Cancel);
        _ = Task.Run(() => WatchAsync(over.Token));
        system.RegisterOnTermination(() => held?.Drop());
    }

    private TimeSpan TimeToLive => Settings.TimeoutSettings.HeartbeatTimeout;

    public override Task<bool> Acquire() => Acquire(null!);

    /// <summary>Keeps trying past the time to live of whoever holds it: the resolver asks once only.</summary>
    public override async Task<bool> Acquire(Action<Exception>? leaseLostCallback)
    {
        Interlocked.Increment(ref wanted);
        await turn.WaitAsync();
        try
        {
            if (CheckLease())
                return true;
            held?.Drop();
            held = null;
            using CancellationTokenSource patience = new(Settings.TimeoutSettings.OperationTimeout);
            held = await TakeAsync(leaseLostCallback, patience.Token);
            if (over.IsCancellationRequested)
                held?.Drop();
            return CheckLease();
        }
        finally
        {
            Interlocked.Decrement(ref wanted);
            turn.Release();
        }
    }

    public override async Task<bool> Release()
    {
        await turn.WaitAsync();
        try
        {
            held?.Drop();
            held = null;
            return true;
        }
        finally
        {
            turn.Release();
        }
    }

    public override bool CheckLease() => held is { IsLost: false };

    /// <summary>Null where the time was not enough, or the data base does not answer.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The tenure has the session.")]
    private async Task<Tenure?> TakeAsync(Action<Exception>? lost, CancellationToken patience)
    {
        NpgsqlConnection? session = null;
        try
        {
            session = await store.Server.OpenAsync(patience);
            await using (NpgsqlCommand wait = new("SELECT pg_advisory_lock(hashtextextended($1, 0))", session) { CommandTimeout = 0 })
            {
                wait.Parameters.Add(new() { Value = name });
                await wait.ExecuteNonQueryAsync(patience);
            }

            await using NpgsqlCommand take = new(
                """
                INSERT INTO danas_lease (name, epoch, holder, address, backend, renewed)
                VALUES ($1, 1, $2, '', pg_backend_pid(), clock_timestamp())
                ON CONFLICT (name) DO UPDATE
                SET epoch = danas_lease.epoch + 1, holder = $2, backend = pg_backend_pid(), renewed = clock_timestamp()
                RETURNING epoch
                """, session);
            take.Parameters.Add(new() { Value = name });
            take.Parameters.Add(new() { Value = Settings.OwnerName });
            long epoch = (long)(await take.ExecuteScalarAsync(CancellationToken.None))!;
            return new Tenure(session, epoch, this, lost);
        }
        catch (Exception e) when (e is OperationCanceledException || PostgresFaults.Heals(e))
        {
            if (session is not null)
                await session.DisposeAsync();
            return null;
        }
    }

    private async Task WatchAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                await using NpgsqlConnection eye = await store.Server.OpenAsync(over);
                await WatchAsync(eye, over);
            }
#pragma warning disable CA1031 // Whatever is wrong with the data base now: a frozen holder must be noticed when it is well again.
            catch (Exception)
#pragma warning restore CA1031
            {
                await Task.Delay(Look, CancellationToken.None);
            }
        }
    }

    private async Task WatchAsync(NpgsqlConnection eye, CancellationToken over)
    {
        (int Holder, DateTime Renewed) seen = default;
        long since = Stopwatch.GetTimestamp(), looked = since;
        while (true)
        {
            (int Holder, DateTime Renewed) now = await LookAsync(eye, over);
            if (now != seen || Stopwatch.GetElapsedTime(looked) > StoodStill)
                (seen, since) = (now, Stopwatch.GetTimestamp());
            looked = Stopwatch.GetTimestamp();
            if (now.Holder != 0 && Volatile.Read(ref wanted) > 0 && Stopwatch.GetElapsedTime(since) > TimeToLive)
            {
                await using NpgsqlCommand end =
                    new($"SELECT pg_terminate_backend(k.pid) FROM pg_locks k WHERE {HoldsLock} AND k.pid = $2", eye);
                end.Parameters.Add(new() { Value = name });
                end.Parameters.Add(new() { Value = now.Holder });
                await end.ExecuteNonQueryAsync(over);
            }

            await Task.Delay(Look, over);
        }
    }

    /// <summary>The server process that holds the lock (0: none), and when its row was renewed.</summary>
    private async Task<(int Holder, DateTime Renewed)> LookAsync(NpgsqlConnection eye, CancellationToken over)
    {
        await using NpgsqlCommand look = new(
            $"SELECT coalesce((SELECT min(k.pid) FROM pg_locks k WHERE {HoldsLock}), 0), coalesce((SELECT l.renewed FROM danas_lease l " +
                $"WHERE l.name = $1), '-infinity')", eye);
        look.Parameters.Add(new() { Value = name });
        await using NpgsqlDataReader row = await look.ExecuteReaderAsync(over);
        return await row.ReadAsync(over) ? (row.GetInt32(0), row.GetDateTime(1)) : default;
    }

    /// <summary>
    /// The lease while it is held: renewed over the session that holds the lock. Who lost it never gets the same one back.
    /// </summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001",
        Justification = "Its cancellation holds nothing, and may be asked for after the end.")]
    private sealed class Tenure
    {
        private readonly NpgsqlConnection session;
        private readonly PostgresLease lease;
        private readonly Action<Exception>? lost;
        private readonly CancellationTokenSource ending = new();
        private int over;

        public Tenure(NpgsqlConnection session, long epoch, PostgresLease lease, Action<Exception>? lost)
        {
            (this.session, this.lease, this.lost) = (session, lease, lost);
            _ = Task.Run(() => RenewAsync(epoch));
        }

        public bool IsLost => Volatile.Read(ref over) != 0;

        /// <summary>Lets it go: the session ends, and its lock with it.</summary>
        public void Drop()
        {
            if (Interlocked.Exchange(ref over, 1) == 0)
                ending.Cancel();
        }

        private async Task RenewAsync(long epoch)
        {
            try
            {
                while (true)
                {
                    await Task.Delay(lease.Settings.TimeoutSettings.HeartbeatInterval, ending.Token);
                    await using NpgsqlCommand renew =
                        new("UPDATE danas_lease SET renewed = clock_timestamp() WHERE name = $1 AND epoch = $2", session);
                    renew.Parameters.Add(new() { Value = lease.name });
                    renew.Parameters.Add(new() { Value = epoch });
                    Task<int> renewing = renew.ExecuteNonQueryAsync(CancellationToken.None);
                    if (await Task.WhenAny(renewing, Task.Delay(
                        lease.TimeToLive - lease.Settings.TimeoutSettings.HeartbeatInterval, ending.Token)) != renewing)
                        // By this clock; what the driver still waits for, its session's end ends.
                        throw new TimeoutException("the database does not respond");
                    if (await renewing != 1)
                        throw new JournalException(JournalFault.Fenced, $"another process now holds the lease {lease.name}");
                }
            }
            catch (Exception e) when (e is OperationCanceledException or JournalException || PostgresFaults.IsFault(e))
            {
                if (Interlocked.Exchange(ref over, 1) == 0)
                {
                    lost?.Invoke(e);
                    lease.store.Lost?.Invoke(lease.name, e);
                }
            }
            finally
            {
                await session.DisposeAsync();
            }
        }
    }
}
