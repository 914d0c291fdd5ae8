using System.IO.Compression;
using DaNas.Actors.Journals;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Journal;

namespace DaNas.Actors.Tests;

/// <summary>
/// Searches that version 0.2 left unfinished on each of its hosts, with the landscape engine, kept for ever under tests/Histories: they go
/// on here, end with the decision hash of a clean run of that version, and what was stored stays as it was.
/// </summary>
public sealed class HistoryTests : IDisposable
{
    private const string CleanDecisionHash = "1ab87de64862547ba5fadfe59f5ba91e255c1b1c5278468a876a950ce94ac872";
    private readonly string folder = Directory.CreateTempSubdirectory("danas-history-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Theory]
    [InlineData("v0.2-embedded-landscape", 83)]
    [InlineData("v0.2-akka-landscape", 83)]
    public async Task A_journal_in_SQLite_goes_on_to_the_clean_runs_decisions(string history, int stored)
    {
        string file = Path.Combine(folder, "journal.db");
        using (FileStream target = File.Create(file))
            await Unpack($"{history}.sqlite.gz").CopyToAsync(target);
        using SqliteJournal journal = SqliteJournal.Open(file);
        await GoOnAsync(journal, stored);
    }

    [PostgresTheory]
    [InlineData("v0.2-embedded-landscape", 86)]
    [InlineData("v0.2-akka-landscape", 86)]
    public async Task A_journal_in_PostgreSQL_goes_on_to_the_clean_runs_decisions(string history, int stored)
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        using (StreamReader dump = new(Unpack($"{history}.postgres.sql.gz")))
            await stores.TamperAsync(await dump.ReadToEndAsync());
        await GoOnAsync(await stores.OpenAsync(), stored);
    }

    private static async Task GoOnAsync(IEventJournal journal, int stored)
    {
        string[] before = Rows(await journal.ReadAsync("search-landscape"));
        before.Length.ShouldBe(stored);
        SearchState end = await SearchActorsTests.RunAsync((IFencedTables)journal, journal, new SearchId("landscape"),
            new SearchActorsTests.MemoryLog(), (2, 0));
        end.Phase.ShouldBeOfType<SearchPhase.Completed>();
        end.DecisionHash.Hex.ShouldBe(CleanDecisionHash);
        string[] after = Rows(await journal.ReadAsync("search-landscape"));
        after.Length.ShouldBeGreaterThan(stored);
        after[..stored].ShouldBe(before);
    }

    private static string[] Rows(IReadOnlyList<StoredEvent> events) =>
        [.. events.Select(e => $"{e.Sequence} {e.Created.UtcTicks} {e.Epoch} {e.Manifest} {e.Chain}")];

    private static GZipStream Unpack(string name) => new(File.OpenRead(Path.Combine(Source(), "..", "Histories", name)),
        CompressionMode.Decompress);

    private static string Source([System.Runtime.CompilerServices.CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}

/// <summary>As <see cref="PostgresFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresTheoryAttribute : TheoryAttribute
{
    public PostgresTheoryAttribute() => Skip = new PostgresFactAttribute().Skip;
}
