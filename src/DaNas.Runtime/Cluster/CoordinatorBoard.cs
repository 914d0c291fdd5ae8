using System.Diagnostics;
using Npgsql;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// A coordinator as the data base has it: where it is reached, whether it is a member of the cluster, and how many nodes wait at it for a
/// leader.
/// </summary>
internal sealed record BoardRow(string Name, NodeAddress Address, bool IsMember, int Waiting);

/// <summary>
/// The coordinators' rows in the data base. Each renews its own; a new one joins whoever is a member, and where nobody is, the lowest
/// address founds the cluster while it holds an advisory lock. So no coordinator needs --join, and three that start at once make one
/// cluster.
/// </summary>
internal sealed class CoordinatorBoard(NodeSettings settings, NodeServer server) : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Longer than what a change of the leader takes by itself.</summary>
    private static readonly TimeSpan YieldAfter = TimeSpan.FromSeconds(8);

    /// <summary>Two clusters of one name, founded while one of them could not reach the data base, do not stay two for longer.</summary>
    private static readonly TimeSpan StrangersAfter = TimeSpan.FromSeconds(10);

    /// <summary>Akka tries to join by itself for a while.</summary>
    private static readonly TimeSpan JoinAgain = TimeSpan.FromSeconds(5);

    /// <summary>Not a member for longer is said, and again as often.</summary>
    private static readonly TimeSpan SayAlone = TimeSpan.FromSeconds(5);

    /// <summary>Others that start at the same time are seen by then.</summary>
    private static readonly TimeSpan BeforeFounding = TimeSpan.FromMilliseconds(600);

    private readonly TaskCompletionSource<string> yielding = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long started = Stopwatch.GetTimestamp();
    private NpgsqlConnection? connection;
    private long? badSince;
    private long? strangeSince;
    private long joined;
    private long alone = Stopwatch.GetTimestamp();
    private bool claimed;

    /// <summary>Coordinators that renewed their row lately, this one among them.</summary>
    public IReadOnlyList<BoardRow> Rows { get; private set; } = [];

    /// <summary>Whether this node is a member of the cluster.</summary>
    public required Func<bool> IsMember { get; init; }

    /// <summary>Members of this node's cluster, HOST:PORT.</summary>
    public required Func<IReadOnlyList<string>> Members { get; init; }

    /// <summary>Told why this coordinator is no member yet.</summary>
    public required Action<string> Alone { get; init; }

    /// <summary>Joins the cluster of those nodes; its own address alone: founds one.</summary>
    public required Action<IReadOnlyList<string>> Join { get; init; }

    /// <summary>Nodes that reach this one as the leader; null while it does not lead.</summary>
    public required Func<int?> Linked { get; init; }

    /// <summary>Told when the data base does not answer, and (null) when it does again.</summary>
    public required Action<string?> Outage { get; init; }

    /// <summary>Completes with the reason when this leader should make room for another coordinator, which more nodes reach.</summary>
    public Task<string> Yielding => yielding.Task;

    /// <summary>Until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        bool known = false, said = false;
        server.Ready = () => known && IsMember();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                connection ??= await settings.Journal!.OpenAsync(stop);
                Rows = await RefreshAsync(connection, stop);
                if (said)
                    Outage(null);
                (known, said) = (true, false);
                if (IsMember())
                    Compare();
                else
                    await EnterAsync(connection, stop);
                Judge(Rows.Where(r => r.Name != settings.Name).Select(r => r.Waiting).DefaultIfEmpty().Max());
                await Task.Delay(Look, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // What the data base says now, it may not say in a while: this loop must outlive it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (!said)
                    Outage(e.Message);
                (known, said) = (false, true);
                if (connection is not null)
                    await connection.DisposeAsync();
                connection = null;
                await Task.Delay(Look, CancellationToken.None);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is not null)
            await connection.DisposeAsync();
    }

    private async Task<IReadOnlyList<BoardRow>> RefreshAsync(NpgsqlConnection open, CancellationToken stop)
    {
        await using NpgsqlBatch batch = new(open);
        NpgsqlBatchCommand here = new(
            """
            INSERT INTO danas_coordinator (cluster, name, address, waiting, is_member, seen) VALUES ($1, $2, $3, $4, $5, clock_timestamp())
            ON CONFLICT (cluster, name) DO UPDATE SET address = $3, waiting = $4, is_member = $5, seen = clock_timestamp()
            """);
        foreach (object value in new object[] { settings.Cluster, settings.Name, settings.Advertise.ToString(),
            server.Waiting.Count, IsMember() || claimed })
            here.Parameters.Add(new() { Value = value });
        NpgsqlBatchCommand all = new("SELECT name, address, is_member, waiting FROM danas_coordinator WHERE cluster = $1 AND seen > " +
            "clock_timestamp() - INTERVAL '3 s' ORDER BY address");
        all.Parameters.Add(new() { Value = settings.Cluster });
        batch.BatchCommands.Add(here);
        batch.BatchCommands.Add(all);
        await using NpgsqlDataReader rows = await batch.ExecuteReaderAsync(stop);
        List<BoardRow> result = [];
        while (await rows.ReadAsync(stop))
        {
            if (NodeAddress.TryParse(rows.GetString(1)) is { } address) // An earlier version's row is none of ours.
                result.Add(new(rows.GetString(0), address, rows.GetBoolean(2), rows.GetInt32(3)));
        }

        return result;
    }

    /// <summary>
    /// Joins those who are members; where nobody is, founds the cluster if this is the lowest address, under a lock, so that nobody else
    /// does at the same time.
    /// </summary>
    private async Task EnterAsync(NpgsqlConnection open, CancellationToken stop)
    {
        string[] members = [.. Rows.Where(r => r.IsMember && r.Name != settings.Name).Select(r => r.Address.Remoting)];
        if (Stopwatch.GetElapsedTime(alone) > SayAlone)
        {
            alone = Stopwatch.GetTimestamp();
            Alone(members.Length > 0 ? $"it has asked {string.Join(", ", members)} to join but is not a member yet: check that their " +
                $"--listen ports are reachable from here and that all certificates are from the same authority"
                    : "no coordinator is a member of a cluster yet");
        }

        if (members.Length > 0)
        {
            claimed = false;
            if (joined == 0 || Stopwatch.GetElapsedTime(joined) > JoinAgain)
                Join(members);
            joined = joined == 0 || Stopwatch.GetElapsedTime(joined) > JoinAgain ? Stopwatch.GetTimestamp() : joined;
            return;
        }

        if (claimed || Rows.Count == 0 || Rows[0].Name != settings.Name || Stopwatch.GetElapsedTime(started) < BeforeFounding)
            return;
        await using NpgsqlTransaction transaction = await open.BeginTransactionAsync(stop);
        await using NpgsqlCommand founding = new("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", open, transaction);
        founding.Parameters.Add(new() { Value = $"danas found {settings.Cluster}" });
        await founding.ExecuteNonQueryAsync(stop);
        await using NpgsqlCommand claim = new(
            """
            UPDATE danas_coordinator SET is_member = TRUE WHERE cluster = $1 AND name = $2
            AND NOT EXISTS (SELECT 1 FROM danas_coordinator o WHERE o.cluster = $1 AND o.name <> $2 AND o.is_member
              AND o.seen > clock_timestamp() - INTERVAL '3 s')
            """, open, transaction);
        claim.Parameters.Add(new() { Value = settings.Cluster });
        claim.Parameters.Add(new() { Value = settings.Name });
        bool won = await claim.ExecuteNonQueryAsync(stop) == 1;
        await transaction.CommitAsync(stop);
        claimed = won;
        if (won)
            Join([settings.Advertise.Remoting]);
    }

    /// <summary>
    /// Members that are not of this node's cluster: of two clusters of one name, the one without the lowest address ends.
    /// </summary>
    private void Compare()
    {
        IReadOnlyList<string> ours = Members();
        BoardRow[] strangers = [.. Rows.Where(r => r.IsMember && r.Name != settings.Name && !ours.Contains(r.Address.Remoting))];
        if (strangers.Length == 0)
            strangeSince = null;
        else if ((strangeSince ??= Stopwatch.GetTimestamp()) is var since && Stopwatch.GetElapsedTime(since) > StrangersAfter && string
            .CompareOrdinal(strangers[0].Address.Remoting, ours.Append(settings.Advertise.Remoting).Min(StringComparer.Ordinal)) < 0)
            yielding.TrySetResult($"{strangers[0].Name} is a member of another cluster with the same name: this node joins that cluster");
    }

    /// <summary>A leader that more nodes cannot reach than can, while they reach another coordinator, makes room for that one.</summary>
    private void Judge(int waitingElsewhere)
    {
        int linked = Linked() ?? int.MaxValue;
        if (waitingElsewhere <= linked)
            badSince = null;
        else if ((badSince ??= Stopwatch.GetTimestamp()) is var since && Stopwatch.GetElapsedTime(since) > YieldAfter)
            yielding.TrySetResult(
                Invariant($"{waitingElsewhere} nodes are waiting at another coordinator because they cannot reach this one; " +
                    $"{linked} are connected here"));
    }
}
