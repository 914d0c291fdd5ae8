using DaNas.Actors.Cluster;
using Npgsql;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>What nodes were told to do, so that it outlives the leader that was asked. Nodes that do as all do have no row.</summary>
public static class PostgresDuties
{
    public static async Task<IReadOnlyList<NodeOrder>> LoadAsync(PostgresServer server, string cluster)
    {
        try
        {
            await using NpgsqlConnection connection = await server.OpenAsync();
            await using NpgsqlCommand read = new("SELECT node, duty FROM danas_duty WHERE cluster = $1 ORDER BY node", connection);
            read.Parameters.Add(new() { Value = cluster });
            await using NpgsqlDataReader rows = await read.ExecuteReaderAsync();
            List<NodeOrder> orders = [];
            while (await rows.ReadAsync())
                // A newer version's duty: no work, to be sure.
                orders.Add(new NodeOrder(rows.GetString(0), Enum.TryParse(rows.GetString(1), out NodeDuty duty)
                    ? duty : NodeDuty.Draining));
            return orders;
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
    }

    public static async Task SaveAsync(PostgresServer server, string cluster, NodeOrder order)
    {
        try
        {
            await using NpgsqlConnection connection = await server.OpenAsync();
            await using NpgsqlCommand save = order.Duty == NodeDuty.Active
                ? new("DELETE FROM danas_duty WHERE cluster = $1 AND node = $2", connection)
                : new("INSERT INTO danas_duty (cluster, node, duty) VALUES ($1, $2, $3) ON CONFLICT (cluster, node) DO " +
                    "UPDATE SET duty = $3", connection);
            save.Parameters.Add(new() { Value = cluster });
            save.Parameters.Add(new() { Value = order.Node });
            if (order.Duty != NodeDuty.Active)
                save.Parameters.Add(new() { Value = order.Duty.ToString() });
            await save.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
    }
}
