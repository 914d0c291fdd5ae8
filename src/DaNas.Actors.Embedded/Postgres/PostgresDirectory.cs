using DaNas.Actors.Journals;
using DaNas.Domain.Values;
using Npgsql;

namespace DaNas.Actors.Embedded.Postgres;

/// <summary>Who leads, in which term, and which coordinators are there, as the data base has it.</summary>
public sealed record LeaderView(string? Leader, long Epoch, ValueList<string> Coordinators);

/// <summary>Keeps a coordinator in the list that the others see, and reads the list.</summary>
public sealed class PostgresDirectory(PostgresServer server, Candidate self) : IAsyncDisposable
{
    private NpgsqlConnection? connection;

    /// <summary>The most nodes that wait at one other coordinator, because they do not reach the leader.</summary>
    public int WaitingElsewhere { get; private set; }

    /// <summary>
    /// Shows that this coordinator is there, and how many nodes wait at it for a leader that they reach; looks who else is there. Null where the data
    /// base does not answer.
    /// </summary>
    public async Task<LeaderView?> RefreshAsync(int waiting, CancellationToken cancellation)
    {
        try
        {
            connection ??= await server.OpenAsync(cancellation);
            await using NpgsqlBatch batch = new(connection);
            NpgsqlBatchCommand here = new(
                """
                INSERT INTO danas_coordinator (cluster, name, address, waiting, seen) VALUES ($1, $2, $3, $4, clock_timestamp())
                ON CONFLICT (cluster, name) DO UPDATE SET address = $3, waiting = $4, seen = clock_timestamp()
                """);
            here.Parameters.Add(new() { Value = self.Cluster });
            here.Parameters.Add(new() { Value = self.Holder });
            here.Parameters.Add(new() { Value = self.Address });
            here.Parameters.Add(new() { Value = waiting });
            NpgsqlBatchCommand leads = new("SELECT address, epoch FROM danas_lease WHERE name = $1");
            leads.Parameters.Add(new() { Value = self.Cluster });
            NpgsqlBatchCommand all = new("SELECT address, name, waiting, seen > clock_timestamp() - INTERVAL '3 s' FROM danas_coordinator WHERE cluster = $1 AND seen > clock_timestamp() - INTERVAL '10 s' ORDER BY name");
            all.Parameters.Add(new() { Value = self.Cluster });
            batch.BatchCommands.Add(here);
            batch.BatchCommands.Add(leads);
            batch.BatchCommands.Add(all);
            await using NpgsqlDataReader rows = await batch.ExecuteReaderAsync(cancellation);
            (string? leader, long epoch) = await rows.ReadAsync(cancellation) ? (rows.GetString(0), rows.GetInt64(1)) : ((string?)null, 0L);
            await rows.NextResultAsync(cancellation);
            List<string> coordinators = [];
            int elsewhere = 0;
            while (await rows.ReadAsync(cancellation))
            {
                coordinators.Add(rows.GetString(0));
                if (rows.GetString(1) != self.Holder && rows.GetBoolean(3))
                    elsewhere = Math.Max(elsewhere, rows.GetInt32(2));
            }

            WaitingElsewhere = elsewhere;
            return new LeaderView(leader, epoch, coordinators.ToValueList());
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && PostgresFaults.Heals(e))
        {
            if (connection is not null)
                await connection.DisposeAsync();
            connection = null;
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is not null)
            await connection.DisposeAsync();
    }
}
