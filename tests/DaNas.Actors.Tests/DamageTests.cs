using DaNas.Actors.Journals;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Drills;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Journal;
using Xunit.Abstractions;

namespace DaNas.Actors.Tests;

/// <summary>
/// Files truncated at every 4 KiB boundary and with flipped bytes: a journal is either read exactly as it was written, or refused with the
/// remedy; a blob is either whole, or lost.
/// </summary>
public sealed class DamageTests : IDisposable
{
    private const string Id = "search-x";
    private const int Page = 4096;
    private const int Flips = 50;

    private readonly string folder = Directory.CreateTempSubdirectory("danas-damage-").FullName;
    private readonly ITestOutputHelper output;
    private readonly Random random;

    public DamageTests(ITestOutputHelper output)
    {
        this.output = output;
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        random = new Random(seed);
    }

    private string Journal => Path.Combine(folder, "journal.db");

    private string Anchor => Path.Combine(folder, "journal.head");

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task A_damaged_journal_is_read_as_it_was_or_refused_with_the_remedy()
    {
        string[] original = await FillAsync(close: true);
        byte[] bytes = await File.ReadAllBytesAsync(Journal);
        Try(bytes, Journal, original);
    }

    [Fact]
    public async Task A_damaged_write_ahead_log_is_read_as_it_was_or_refused_with_the_remedy()
    {
        string[] original = await FillAsync(close: false);
        byte[] bytes = await File.ReadAllBytesAsync(Journal + "-wal");
        bytes.Length.ShouldBeGreaterThan(20 * Page);
        Try(bytes, Journal + "-wal", original);
    }

    [Fact]
    public async Task A_journal_cut_at_the_boundary_of_an_event_is_noticed_and_can_be_accepted()
    {
        await FillAsync(close: true);
        using (Microsoft.Data.Sqlite.SqliteConnection connection = new($"Data Source={Journal};Pooling=False"))
        {
            connection.Open();
            using Microsoft.Data.Sqlite.SqliteCommand command = connection.CreateCommand();
            command.CommandText = "DELETE FROM journal WHERE sequence_number > 40";
            command.ExecuteNonQuery().ShouldBeGreaterThan(0);
        }

        using (SqliteJournal journal = SqliteJournal.OpenReadOnly(Journal, _ => Anchor))
        {
            JournalException fault = Should.Throw<JournalException>(() => journal.Read(Id));
            fault.Message.ShouldContain("ends at event 40");
            fault.Message.ShouldContain("--accept");
            fault.Cut!.Value.Found.ShouldBe(40);
        }

        using (HeadAnchors anchors = new(_ => Anchor))
            anchors.Forget(Id);
        using SqliteJournal accepted = SqliteJournal.Open(Journal, _ => Anchor);
        accepted.Acquire(Id);
        accepted.Read(Id).Count.ShouldBe(40);
        (await accepted.AppendAsync(Id, 40, [new SearchEvent.HistoryLost(99, 40)])).ShouldBe(41);
    }

    [Fact]
    public void A_torn_head_leaves_the_one_before()
    {
        using (HeadAnchors anchors = new(_ => Anchor))
        {
            anchors.Write(Id, new Head(7, "seven"));
            anchors.Write(Id, new Head(8, "eight"));
        }

        byte[] whole = File.ReadAllBytes(Anchor);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] torn = [.. whole];
            torn[at] ^= 0x20;
            File.WriteAllBytes(Anchor, torn);
            using HeadAnchors anchors = new(_ => Anchor);
            anchors.Read(Id)!.Sequence.ShouldBeOneOf(7, 8);
        }

        File.WriteAllBytes(Anchor, new byte[whole.Length]);
        using HeadAnchors none = new(_ => Anchor);
        Should.Throw<InvalidDataException>(() => none.Read(Id)).Message.ShouldContain("damaged");
    }

    [Fact]
    public void A_damaged_blob_is_lost_and_never_read()
    {
        FileBlobStore store = new(Path.Combine(folder, "blobs"));
        byte[] bytes = new byte[(10 * Page) + 123];
        random.NextBytes(bytes);
        BlobRef blob = store.Put(bytes);
        string file = Directory.EnumerateFiles(folder, blob.Digest.Hex, SearchOption.AllDirectories).Single();
        foreach (byte[] damaged in Damaged(bytes))
        {
            File.WriteAllBytes(file, damaged);
            BlobException fault = Should.Throw<BlobException>(() => store.Get(blob));
            fault.Fault.ShouldBe(BlobFault.Lost);
            fault.Blob.ShouldBe(blob);
        }

        store.Put(bytes).ShouldBe(blob); // Making it again mends it.
        store.Get(blob).ShouldBe(bytes);
    }

    private void Try(byte[] bytes, string file, string[] original)
    {
        Dictionary<string, byte[]> others = Directory.EnumerateFiles(folder).ToDictionary(f => f, File.ReadAllBytes);
        Read(folder, writable: false).ShouldBe(original); // Undamaged, it can be read.
        int refused = 0;
        int whole = 0;
        foreach (byte[] damaged in Damaged(bytes))
        {
            string copy = Directory.CreateTempSubdirectory("danas-damaged-").FullName;
            foreach ((string name, byte[] content) in others)
                File.WriteAllBytes(Path.Combine(copy, Path.GetFileName(name)), name == file ? damaged : content);
            try
            {
                string what = $"{damaged.Length} of {bytes.Length} bytes";
                Same(Read(copy, writable: false), original, what);
                Same(Read(copy, writable: true), original, what);
                whole++;
            }
            catch (JournalException e)
            {
                e.Message.ShouldNotContain("   at ");
                (e.Fault is JournalFault.Damaged or JournalFault.Foreign).ShouldBeTrue(e.Message);
                refused++;
            }
            finally
            {
                Directory.Delete(copy, true);
            }
        }

        output.WriteLine($"{bytes.Length} bytes: {refused} refused, {whole} read as written");
        refused.ShouldBeGreaterThan(bytes.Length / Page / 2);
    }

    private static void Same(string[] read, string[] written, string what)
    {
        read.Length.ShouldBe(written.Length, what);
        for (int i = 0; i < read.Length; i++)
            read[i].ShouldBe(written[i], what);
    }

    private static string[] Read(string copy, bool writable)
    {
        string path = Path.Combine(copy, "journal.db");
        using SqliteJournal journal = writable ? SqliteJournal.Open(path, _ => Path.Combine(copy, "journal.head"))
            : SqliteJournal.OpenReadOnly(path, _ => Path.Combine(copy, "journal.head"));
        if (writable)
            journal.Acquire(Id);
        return [.. journal.Read(Id).Select(e => $"{e.Sequence} {e.Created.UtcTicks} {e.Manifest} {e.Chain}")];
    }

    private IEnumerable<byte[]> Damaged(byte[] bytes)
    {
        for (int length = 0; length < bytes.Length; length += Page)
            yield return bytes[..length];
        for (int i = 0; i < Flips; i++)
        {
            byte[] flipped = [.. bytes];
            flipped[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            yield return flipped;
        }
    }

    /// <summary>
    /// A journal of a whole simulated search with its head; closed, or as a killed process leaves it, with everything in the write-ahead
    /// log.
    /// </summary>
    private async Task<string[]> FillAsync(bool close)
    {
        List<SearchEvent> events = [];
        SimulationSuite.Make(4, 0).Search.RunClean([], (_, e) => events.Add(e));
        string at = close ? folder : Directory.CreateDirectory(Path.Combine(folder, "open")).FullName;
        string path = Path.Combine(at, "journal.db");
        string[] written;
        using (SqliteJournal journal = SqliteJournal.Open(path, _ => Path.Combine(at, "journal.head")))
        {
            journal.Acquire(Id);
            for (int i = 0; i < events.Count; i++)
                await journal.AppendAsync(Id, i, [events[i]]);
            written = [.. journal.Read(Id).Select(e => $"{e.Sequence} {e.Created.UtcTicks} {e.Manifest} {e.Chain}")];
            foreach (string file in close ? [] : Directory.EnumerateFiles(at))
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        if (!close)
            Directory.Delete(at, true);
        foreach (string shared in Directory.EnumerateFiles(folder, "*-shm"))
            File.Delete(shared);
        return written;
    }
}
