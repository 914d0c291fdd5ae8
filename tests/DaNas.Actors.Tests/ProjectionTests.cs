using DaNas.Actors.Cluster;
using DaNas.Actors.Journals;
using DaNas.Domain.Searches;
using DaNas.Drills;
using DaNas.Runtime.Journal.Postgres;
using DaNas.Simulation;

namespace DaNas.Actors.Tests;

/// <summary>The read model in PostgreSQL, and what nodes were told to do.</summary>
public sealed class ProjectionTests
{
    private const string Id = "search-x";

    [PostgresFact]
    public async Task The_read_model_follows_the_journal_and_can_be_made_anew_at_any_time()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        IEventJournal journal = await stores.OpenAsync();
        (SimulatedSearch search, _) = SimulationSuite.Make(0, 0);
        SearchState state = SearchEvolver.Evolve(SearchState.Initial, search.First);
        await journal.AcquireAsync(Id);
        await journal.AppendAsync(Id, 0, [search.First]);
        PostgresProjection first = new(stores.Server, "search-");
        (await first.StepAsync()).Events.ShouldBe(1);
        (await first.StepAsync()).Events.ShouldBe(0);
        SearchEvent[] next = [.. ((Decision.Accepted)SearchDecider.Decide(state,
            new SearchCommand.RecordFailedAttempt("difficulty/0/0", 1, Domain.Faults.FailureKind.ProcessLost, "killed", 3, false))).Events];
        await journal.AppendAsync(Id, 1, next);
        state = next.Aggregate(state, SearchEvolver.Evolve);
        PostgresProjection second = new(stores.Server, "search-");
        ProjectionActor.Stepped[] both = await Task.WhenAll(first.StepAsync(), second.StepAsync()); // Two at once do no harm.
        both.Max(b => b.Events).ShouldBe(next.Length);
        OverviewRow row = (await PostgresProjection.ReadAsync(stores.Server)).ShouldHaveSingleItem();
        row.Overview.ShouldBe(SearchOverview.Of(state));
        row.Overview.LostSeconds.ShouldBe(3);
        (row.Sequence, row.Behind, row.IsOver).ShouldBe((1 + next.Length, 0, false));
        await stores.TamperAsync("DELETE FROM danas_overview");
        (await new PostgresProjection(stores.Server, "search-").StepAsync()).Events.ShouldBe(1 + next.Length);
        (await PostgresProjection.ReadAsync(stores.Server)).ShouldHaveSingleItem().Overview.ShouldBe(row.Overview);
    }

    [PostgresFact]
    public async Task A_journal_that_cannot_be_read_is_named_once_and_the_others_are_projected()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        IEventJournal journal = await stores.OpenAsync();
        (SimulatedSearch search, _) = SimulationSuite.Make(0, 0);
        foreach (string id in new[] { "search-a", "search-b" })
        {
            await journal.AcquireAsync(id);
            await journal.AppendAsync(id, 0, [search.First]);
        }

        await stores.TamperAsync("UPDATE journal SET message = 'nonsense'::bytea WHERE persistence_id = 'search-a'");
        PostgresProjection projection = new(stores.Server, "search-");
        ProjectionActor.Stepped stepped = await projection.StepAsync();
        stepped.Refused.ShouldHaveSingleItem().Search.ShouldBe("a");
        stepped.Events.ShouldBe(1);
        (await projection.StepAsync()).Refused.ShouldBeEmpty();
        (await PostgresProjection.ReadAsync(stores.Server)).Count.ShouldBe(1);
    }

    [PostgresFact]
    public async Task What_a_node_was_told_holds_until_it_is_told_otherwise()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        await stores.Server.PrepareAsync();
        await PostgresDuties.SaveAsync(stores.Server, "one", new NodeOrder("a", NodeDuty.Draining));
        await PostgresDuties.SaveAsync(stores.Server, "one", new NodeOrder("a", NodeDuty.Quarantined));
        await PostgresDuties.SaveAsync(stores.Server, "one", new NodeOrder("b", NodeDuty.Draining));
        await PostgresDuties.SaveAsync(stores.Server, "one", new NodeOrder("b", NodeDuty.Active));
        (await PostgresDuties.LoadAsync(stores.Server, "one")).ShouldBe([new NodeOrder("a", NodeDuty.Quarantined)]);
        (await PostgresDuties.LoadAsync(stores.Server, "two")).ShouldBeEmpty();
    }
}
