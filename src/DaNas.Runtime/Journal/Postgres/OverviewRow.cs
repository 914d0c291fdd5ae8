using DaNas.Actors.Journals;
using DaNas.Domain.Searches;
using Npgsql;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>A search in the read model: its overview after so many events, and how many the journal has.</summary>
public sealed record OverviewRow(SearchOverview Overview, long Sequence, long Head, bool IsOver, DateTimeOffset Changed)
{
    public long Behind => Head - Sequence;
}
