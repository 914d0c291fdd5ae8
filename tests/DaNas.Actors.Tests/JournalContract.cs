using DaNas.Actors.Journals;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Tests;

/// <summary>What every store of the journal promises; the same tests for each.</summary>
public sealed class JournalContract
{
    private const string Id = "search-x";

    public static TheoryData<string> Stores => JournalStores.Names;

    [PostgresFact]
    public void PostgreSQL_is_among_the_stores() => JournalStores.Names.Count.ShouldBe(2);

    [Theory, MemberData(nameof(Stores))]
    public async Task What_is_appended_is_read_back_in_order_with_epoch_and_chain(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync();
        (await journal.AcquireAsync(Id)).ShouldBe(1);
        (await journal.AppendAsync(Id, 0, [Event(1), Event(2)])).ShouldBe(2);
        (await journal.AppendAsync(Id, 2, [Event(3)])).ShouldBe(3);
        IReadOnlyList<StoredEvent> read = await (await stores.OpenAsync()).ReadAsync(Id);
        read.Select(e => (e.Sequence, e.Epoch)).ShouldBe([(1, 1), (2, 1), (3, 1)]);
        read.Select(e => e.Event).ShouldBe([Event(1), Event(2), Event(3)]);
        read.Select(e => e.Chain).Distinct().Count().ShouldBe(3);
        (await journal.PersistenceIdsAsync()).ShouldBe([Id]);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task A_second_writer_takes_over_and_the_first_is_fenced_out(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal first = await stores.OpenAsync();
        (await first.AcquireAsync(Id)).ShouldBe(1);
        await first.AppendAsync(Id, 0, [Event(1)]);
        IEventJournal second = await stores.OpenAsync();
        (await second.AcquireAsync(Id)).ShouldBe(2);
        (await Should.ThrowAsync<JournalException>(() => first.AppendAsync(Id, 1, [Event(2)]))).Fault.ShouldBe(JournalFault.Fenced);
        (await second.ReadAsync(Id)).Count.ShouldBe(1);
        (await second.AppendAsync(Id, 1, [Event(2)])).ShouldBe(2);
    }

    /// <summary>Whatever program inserts: the store itself compares the epoch that the row carries with the writer's.</summary>
    [Theory, MemberData(nameof(Stores))]
    public async Task A_fence_refuses_rows_of_whoever_is_not_the_writer(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync();
        await journal.AcquireAsync(Id);
        IFencedTables tables = (IFencedTables)journal;
        await tables.FenceAsync();
        await tables.FenceAsync();
        tables.EpochOf(Id).ShouldBe(1);
        Should.Throw<JournalException>(() => tables.EpochOf("search-y")).Fault.ShouldBe(JournalFault.Fenced);
        await journal.AppendAsync(Id, 0, [Event(1)]);
        foreach (string foreign in new[] { """{"epoch":2}""", """{"epoch":null}""", "{}", "no JSON" })
        {
            string bytes = store == "sqlite" ? $"CAST('{foreign}' AS BLOB)" : $"convert_to('{foreign}', 'UTF8')";
            await Should.ThrowAsync<System.Data.Common.DbException>(() => stores
                .TamperAsync($"INSERT INTO journal (persistence_id, sequence_number, created, message) VALUES ('{Id}', 2, 0, {bytes})"));
        }

        IEventJournal second = await stores.OpenAsync();
        await second.AcquireAsync(Id);
        (await Should.ThrowAsync<JournalException>(() => journal.AppendAsync(Id, 1, [Event(2)]))).Fault.ShouldBe(JournalFault.Fenced);
        (await second.ReadAsync(Id)).Count.ShouldBe(1);
        (await second.AppendAsync(Id, 1, [Event(2)])).ShouldBe(2);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Two_writers_at_once_never_both_write(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal[] writers = [await stores.OpenAsync(), await stores.OpenAsync()];
        int acknowledged = 0;
        await Task.WhenAll(writers.Select(w => Task.Run(async () =>
        {
            for (int round = 0; round < 40; round++)
            {
                try
                {
                    await w.AcquireAsync(Id);
                    long last = (await w.ReadAsync(Id)).Count;
                    await w.AppendAsync(Id, last, [Event(round)]);
                    Interlocked.Increment(ref acknowledged);
                }
                catch (JournalException e) when (e.Fault == JournalFault.Fenced)
                {
                    // The other one was quicker.
                }
            }
        })));
        IReadOnlyList<StoredEvent> all = await (await stores.OpenAsync()).ReadAsync(Id);
        all.Count.ShouldBe(acknowledged);
        all.Select(e => e.Epoch).ShouldBeInOrder();
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task An_append_is_stored_all_or_none(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync();
        await journal.AcquireAsync(Id);
        object tooLarge = new SearchEvent.AttemptFailed(new string('x', 70_000), 1, "c", true, new Timing(0));
        await Should.ThrowAsync<InvalidDataException>(() => journal.AppendAsync(Id, 0, [Event(1), tooLarge]));
        (await journal.ReadAsync(Id)).ShouldBeEmpty();
        await journal.AppendAsync(Id, 0, [Event(1)]);
        await Should.ThrowAsync<JournalException>(() => journal.AppendAsync(Id, 0, [Event(7), Event(8)]));
        (await journal.ReadAsync(Id)).Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Many_searches_write_at_once_and_each_has_its_own_order(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async n =>
        {
            string id = $"search-{n}";
            await journal.AcquireAsync(id);
            for (int i = 0; i < 25; i++)
                await journal.AppendAsync(id, i, [Event(i)]);
        }));
        for (int n = 0; n < 20; n++)
            (await journal.ReadAsync($"search-{n}")).Select(e => e.Event).ShouldBe(Enumerable.Range(0, 25).Select(Event));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task A_changed_a_missing_and_a_moved_event_are_noticed(string store)
    {
        foreach (string sql in new[]
        {
            "UPDATE journal SET created = created + 1 WHERE sequence_number = 2",
            "DELETE FROM journal WHERE sequence_number = 3",
            "UPDATE journal SET manifest = 'search-failed/1' WHERE sequence_number = 4",
            "UPDATE journal SET message = (SELECT message FROM journal WHERE sequence_number = 1) WHERE sequence_number = 4",
        })
        {
            await using JournalStores stores = await JournalStores.NewAsync(store);
            IEventJournal journal = await stores.OpenAsync();
            await journal.AcquireAsync(Id);
            await journal.AppendAsync(Id, 0, [Event(1), Event(2), Event(3), Event(4)]);
            (await stores.TamperAsync(sql)).ShouldBe(1);
            (await Should.ThrowAsync<JournalException>(() => journal.ReadAsync(Id))).Fault.ShouldBe(JournalFault.Damaged, sql);
        }
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task A_journal_whose_end_is_gone_is_refused_until_that_is_accepted(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync(true);
        await journal.AcquireAsync(Id);
        await journal.AppendAsync(Id, 0, [Event(1), Event(2), Event(3)]);
        (await stores.TamperAsync("DELETE FROM journal WHERE sequence_number = 3")).ShouldBe(1);
        (await Should.ThrowAsync<JournalException>(() => journal.ReadAsync(Id))).Cut.ShouldBe((3, 2));
        IEventJournal again = await stores.OpenAsync(true);
        again.AcceptCut(Id);
        await again.AcquireAsync(Id);
        (await again.ReadAsync(Id)).Count.ShouldBe(2);
        await again.AppendAsync(Id, 2, [Event(9)]);
        (await (await stores.OpenAsync(true)).ReadAsync(Id)).Count.ShouldBe(3);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task A_writers_table_that_fell_behind_gives_no_epoch_twice(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync();
        await journal.AcquireAsync(Id);
        await journal.AcquireAsync(Id);
        await journal.AppendAsync(Id, 0, [Event(1)]);
        await stores.TamperAsync("DELETE FROM danas_writer");
        (await journal.AcquireAsync(Id)).ShouldBe(3);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Reading_beside_the_writer_never_takes_its_chain_back(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync(true);
        await journal.AcquireAsync(Id);
        await journal.AppendAsync(Id, 0, [Event(0)]);
        using CancellationTokenSource enough = new();
        Task reading = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
                await journal.ReadAsync(Id);
        });
        for (int i = 1; i < 150; i++)
            await journal.AppendAsync(Id, i, [Event(i)]);
        await enough.CancelAsync();
        await reading;
        (await (await stores.OpenAsync(true)).ReadAsync(Id)).Count.ShouldBe(150);
    }

    internal static SearchEvent.AttemptFailed Event(int n) => new($"unit-{n}", 1, "test", false, new Timing(0));
}
