using System.Text;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Journal;
using Microsoft.Data.Sqlite;

namespace DaNas.Actors.Tests;

public sealed class JournalTests : IDisposable
{
    private const string Id = "search-x";
    private readonly string folder = Directory.CreateTempSubdirectory("danas-journal-").FullName;

    private string File => Path.Combine(folder, "journal.db");

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task What_is_appended_is_read_back_in_order_with_its_chain()
    {
        await Fill(5);
        using SqliteJournal reader = SqliteJournal.OpenReadOnly(File);
        reader.Read(Id).Select(e => e.Sequence).ShouldBe([1, 2, 3, 4, 5]);
        reader.PersistenceIds().ShouldBe([Id]);
    }

    [Fact]
    public async Task The_columns_are_those_of_Akka_Persistence_Sql_and_the_serializer_is_fixed()
    {
        await Fill(1);
        using SqliteConnection c = Open();
        using SqliteCommand command = c.CreateCommand();
        command.CommandText = "SELECT ordering, is_deleted, persistence_id, sequence_number, created, tags, message, identifier, " +
            "manifest, writer_uuid FROM journal";
        using SqliteDataReader row = command.ExecuteReader();
        row.Read().ShouldBeTrue();
        row.GetInt32(7).ShouldBe(20_031_256);
        row.GetString(8).ShouldBe("attempt-failed/1");
        Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(6)).ShouldStartWith("{\"chain\":\"");
    }

    [Fact]
    public async Task A_changed_a_missing_and_a_moved_event_are_noticed()
    {
        await Fill(4);
        foreach (string sql in new[]
        {
            "UPDATE journal SET message = CAST(REPLACE(CAST(message AS TEXT), 'unit-2', 'unit-9') AS BLOB) WHERE sequence_number = 2",
            "DELETE FROM journal WHERE sequence_number = 3",
            "UPDATE journal SET manifest = 'search-failed/1' WHERE sequence_number = 4",
        })
        {
            string copy = Path.Combine(folder, "copy.db");
            System.IO.File.Copy(File, copy, true);
            using (SqliteConnection c = Open(copy))
            using (SqliteCommand command = c.CreateCommand())
            {
                command.CommandText = sql;
                command.ExecuteNonQuery().ShouldBe(1);
            }

            using SqliteJournal journal = SqliteJournal.OpenReadOnly(copy);
            Should.Throw<JournalException>(() => journal.Read(Id).ToList()).Fault.ShouldBe(JournalFault.Damaged, sql);
        }
    }

    /// <summary>Two searches that begin in one new folder: the second one looks while the first one makes the file.</summary>
    [Fact]
    public void A_file_that_another_process_is_about_to_fill_reads_as_empty()
    {
        System.IO.File.WriteAllBytes(File, []);
        using (SqliteJournal reader = SqliteJournal.OpenReadOnly(File))
        {
            reader.PersistenceIds().ShouldBeEmpty();
            reader.Read(Id).ShouldBeEmpty();
        }

        Parallel.For(0, 8, _ =>
        {
            using SqliteJournal writer = SqliteJournal.Open(File);
        });
        using SqliteJournal made = SqliteJournal.OpenReadOnly(File);
        made.PersistenceIds().ShouldBeEmpty();
    }

    [Fact]
    public void A_foreign_file_is_refused_with_its_name()
    {
        System.IO.File.WriteAllText(File, "this is no data base, and long enough to have a header of its own, more than one hundred " +
            "bytes of text in all, really");
        Should.Throw<JournalException>(() => SqliteJournal.Open(File)).Message.ShouldContain(File);
        string other = Path.Combine(folder, "other.db");
        using (SqliteConnection c = Open(other))
        using (SqliteCommand command = c.CreateCommand())
        {
            command.CommandText = "CREATE TABLE people (name TEXT)";
            command.ExecuteNonQuery();
        }

        Should.Throw<JournalException>(() => SqliteJournal.Open(other)).Fault.ShouldBe(JournalFault.Foreign);
    }

    [Fact]
    public void An_event_over_the_bound_is_refused()
    {
        string text = new('x', WireFormat.MaximumEventBytes);
        Should.Throw<InvalidDataException>(() => Envelope.Seal("0", new RowHead(1, 0, "attempt-failed/1"), 1,
            WireFormat.Write(new SearchEvent.AttemptFailed(text, 1, "c", true, new Timing(0))))).Message.ShouldContain("blobs");
    }

    [Fact]
    public void The_bytes_of_every_manifest_of_this_version_are_golden()
    {
        WireFormat.AllManifests.Count.ShouldBe(82);
        Text(new SearchEvent.AttemptFailed("s1/r2/train/0", 2, "killed", false, new Timing(1.5)))
            .ShouldBe("attempt-failed/1 {\"unit\":\"s1/r2/train/0\",\"attempt\":2,\"cause\":\"killed\"," +
                "\"counts\":false,\"lost\":{\"seconds\":1.5}}");
        Text(new SearchEvent.StageClosed(3, new BlobRef(Digest.Of("w"), 7)))
            .ShouldBe("stage-closed/1 {\"stage\":3,\"supernet\":" +
                "{\"digest\":\"50e721e49c013f00c62cf59f2163542a9d8df02464efeb615d31051b0fddc326\",\"sizeBytes\":7}}");
        Text(new UnitResult.ArchitectureEvaluated("derive/0", new UnitCost(1, 2, 3), new Timing(0.25), 0.5, 1.5))
            .ShouldBe("architecture-evaluated/1 {\"accuracy\":0.5,\"loss\":1.5,\"unit\":\"derive/0\"," +
                "\"cost\":{\"forwardImages\":1,\"backwardImages\":2,\"forwardMacs\":3},\"timing\":{\"seconds\":0.25}}");
        Should.Throw<InvalidDataException>(() => WireFormat.Read("round-completed/99", "{}"u8)).Message.ShouldContain("round-completed/99");
        Should.Throw<InvalidDataException>(() => WireFormat.Read("stage-closed/1", "{\"stage\":1}"u8));

        static string Text(object message) => $"{WireFormat.ManifestOf(message)} {Encoding.UTF8.GetString(WireFormat.Write(message))}";
    }

    private static SearchEvent.AttemptFailed Event(int n) => new($"unit-{n}", 1, "test", false, new Timing(0));

    private async Task Fill(int count)
    {
        using SqliteJournal journal = SqliteJournal.Open(File);
        journal.Acquire(Id);
        for (int i = 1; i <= count; i++)
            await journal.AppendAsync(Id, i - 1, [Event(i)]);
    }

    private SqliteConnection Open(string? path = null)
    {
        SqliteConnection connection = new($"Data Source={path ?? File};Pooling=False");
        connection.Open();
        return connection;
    }
}
