using System.Text.Json;
using DaNas.Actors.Cluster;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using Npgsql;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>
/// The read model of all searches of a data base: one row each, made from the journal and nothing else, so that lists need not read
/// journals. It can be emptied at any time and is made anew.
/// </summary>
public sealed class PostgresProjection(PostgresServer server, string prefix)
{
    private const int MostAtOnce = 20;

    private readonly Dictionary<string, Folded> known = new(StringComparer.Ordinal);
    private readonly HashSet<string> unreadable = new(StringComparer.Ordinal);

    /// <summary>
    /// Projects what is new of some searches; returns how many events that were. Throws <see cref="JournalException"/> where the data base
    /// is away.
    /// </summary>
    public async Task<ProjectionActor.Stepped> StepAsync(CancellationToken cancellation = default)
    {
        long events = 0;
        List<ProjectionActor.RefusedJournal> refused = [];
        foreach ((string id, long head, long reached) in await NewsAsync(cancellation))
        {
            try
            {
                events += await ProjectAsync(id, head, reached, cancellation);
            }
            catch (Exception e) when (e is InvalidDataException or JsonException
                or JournalException { Fault: not JournalFault.Unavailable })
            {
                unreadable.Add(id);
                refused.Add(new(id[prefix.Length..], e.Message));
            }
        }

        return new(events, refused.ToValueList());
    }

    /// <summary>What the read model has, newest change first, beside the heads of the journals.</summary>
    public static async Task<IReadOnlyList<OverviewRow>> ReadAsync(PostgresServer server, CancellationToken cancellation = default)
    {
        try
        {
            await using NpgsqlConnection connection = await server.OpenAsync(cancellation);
            await using NpgsqlCommand read = new(
                """
                SELECT o.overview, o.sequence_number,
                  coalesce((SELECT max(j.sequence_number) FROM journal j WHERE j.persistence_id = o.persistence_id), 0),
                  o.is_over, o.changed
                FROM danas_overview o ORDER BY o.changed DESC, o.persistence_id
                """, connection);
            await using NpgsqlDataReader rows = await read.ExecuteReaderAsync(cancellation);
            List<OverviewRow> result = [];
            while (await rows.ReadAsync(cancellation))
                result.Add(new(JsonSerializer.Deserialize<SearchOverview>(rows.GetString(0), DomainJson.Stored)!, rows.GetInt64(1),
                    rows.GetInt64(2), rows.GetBoolean(3), new DateTimeOffset(rows.GetInt64(4), TimeSpan.Zero)));
            return result;
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
    }

    /// <summary>Searches whose journal reaches further than their row, and how far each reaches.</summary>
    private async Task<List<(string Id, long Head, long Reached)>> NewsAsync(CancellationToken cancellation)
    {
        try
        {
            await using NpgsqlConnection connection = await server.OpenAsync(cancellation);
            await using NpgsqlCommand news = new(
                """
                SELECT w.persistence_id, h.head, coalesce(o.sequence_number, 0) FROM danas_writer w
                LEFT JOIN danas_overview o ON o.persistence_id = w.persistence_id
                CROSS JOIN LATERAL (SELECT max(j.sequence_number) AS head FROM journal j WHERE j.persistence_id = w.persistence_id) h
                WHERE starts_with(w.persistence_id, $1) AND h.head > coalesce(o.sequence_number, 0) AND w.persistence_id <> ALL($2)
                ORDER BY w.persistence_id LIMIT $3
                """, connection);
            news.Parameters.Add(new() { Value = prefix });
            news.Parameters.Add(new() { Value = unreadable.ToArray() });
            news.Parameters.Add(new() { Value = MostAtOnce });
            await using NpgsqlDataReader rows = await news.ExecuteReaderAsync(cancellation);
            List<(string, long, long)> result = [];
            while (await rows.ReadAsync(cancellation))
                result.Add((rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2)));
            return result;
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
    }

    private async Task<long> ProjectAsync(string id, long head, long reached, CancellationToken cancellation)
    {
        Folded from = known.GetValueOrDefault(id, new Folded(SearchState.Initial, 0, 0));
        SearchState state = from.State;
        (long sequence, long changed) = (from.Sequence, from.Changed);
        foreach (Row row in await PostgresRows.ReadAsync(server, id, from.Sequence))
        {
            state = SearchEvolver.Evolve(state, (SearchEvent)WireFormat.Read(row.Head.Manifest, Envelope.PayloadOf(row.Message)));
            (sequence, changed) = (row.Head.Sequence, row.Head.CreatedTicks);
        }

        if (sequence < head)
            throw new JournalException(JournalFault.Damaged, $"{id} has no event {sequence + 1}, but one of number {head}");
        await WriteAsync(id, state, sequence, changed, cancellation);
        if (state.IsOver)
            known.Remove(id);
        else
            known[id] = new Folded(state, sequence, changed);
        return sequence - reached;
    }

    private async Task WriteAsync(string id, SearchState state, long sequence, long changed, CancellationToken cancellation)
    {
        try
        {
            await using NpgsqlConnection connection = await server.OpenAsync(cancellation);
            await using NpgsqlCommand write = new(
                """
                INSERT INTO danas_overview (persistence_id, sequence_number, phase, is_over, changed, overview)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (persistence_id) DO UPDATE SET sequence_number = $2, phase = $3, is_over = $4, changed = $5, overview = $6
                WHERE danas_overview.sequence_number < $2
                """, connection);
            foreach (object value in new object[] { id, sequence, state.Phase.GetType().Name, state.IsOver, changed,
                JsonSerializer.Serialize(SearchOverview.Of(state), DomainJson.Stored) })
                write.Parameters.Add(new() { Value = value });
            await write.ExecuteNonQueryAsync(cancellation);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
    }

    private sealed record Folded(SearchState State, long Sequence, long Changed);
}
