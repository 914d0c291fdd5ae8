using DaNas.Actors.Logging;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Tests;

/// <summary>A log whose disk is full: said once, and in the file afterwards, and nothing else is lost.</summary>
public sealed class StateLogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("danas-log-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void A_full_disk_is_said_once_and_the_file_tells_how_many_lines_are_missing()
    {
        List<LogLine> heard = [];
        FullDisk disk = new();
        using StateLog log = new("x/log.jsonl", disk, heard.Add);
        Write(log, 3);
        disk.IsFull = true;
        Write(log, 4);
        disk.IsFull = false;
        Write(log, 2);
        heard.Select(l => l.Id).ShouldBe([500, 500, 500, 909, 500, 500, 500, 500, 910, 500, 500]);
        heard.Single(l => l.Id == 909).Cause
            .ShouldBe("x/log.jsonl: No space left on device; free some space: lines will be missing until this is " +
                "fixed; the search continues");
        heard.Where(l => l.Warning).Select(l => l.Id).ShouldBe([909, 910]);
        LogLine?[] stored = [.. System.Text.Encoding.UTF8.GetString(disk.ToArray())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(LogLine.Parse)];
        stored.Select(l => l!.Id).ShouldBe([500, 500, 500, 910, 500, 500]);
        stored[3]!.Cause.ShouldBe("x/log.jsonl: lines missing before this one: 4");
    }

    [Fact]
    public void What_is_missing_at_the_end_is_said_at_the_end()
    {
        List<LogLine> heard = [];
        using (StateLog log = new("x/log.jsonl", new FullDisk { IsFull = true }, heard.Add))
            Write(log, 3);
        heard[^1].Cause.ShouldBe("x/log.jsonl: lines missing at the end: 3");
    }

    /// <summary>Standard error in a file on the same disk.</summary>
    [Fact]
    public void A_listener_that_cannot_write_stops_nobody()
    {
        FullDisk disk = new() { IsFull = true };
        using StateLog log = new("x/log.jsonl", disk, _ => throw new IOException("No space left on device"));
        Write(log, 2);
        disk.IsFull = false;
        Write(log, 1);
        System.Text.Encoding.UTF8.GetString(disk.ToArray()).ShouldContain("lines missing before this one: 2");
    }

    [Fact]
    public async Task A_log_is_read_in_whole_lines()
    {
        string file = Path.Combine(folder, "log.jsonl"), many = new('x', 9000);
        await File.WriteAllTextAsync(file, $"a\n{many}\n\nhalf");
        List<string> read = [];
        await foreach (string line in StateLog.ReadAsync(file, false, CancellationToken.None))
            read.Add(line);
        read.ShouldBe(["a", many, string.Empty, "half"]);
    }

    /// <summary>The device that Linux has for this.</summary>
    [Fact]
    public void Dev_full_takes_no_search_down()
    {
        List<LogLine> heard = [];
        using (StateLog log = new("/dev/full", heard.Add))
            Write(log, 2);
        heard.Select(l => l.Id).ShouldBe([909, 500, 500, 910]);
    }

    [Theory]
    [InlineData("", 2)]
    [InlineData("{\"at\":\"2026-01-01T00:00:00+00:00\",\"id\":500}\n", 3)]
    [InlineData("{\"at\":\"2026-01-01T00:0", 2)]
    public void What_is_written_after_a_line_that_was_cut_is_whole(string before, int read)
    {
        string file = Path.Combine(folder, "log.jsonl");
        File.WriteAllText(file, before);
        using (StateLog log = new(file, _ => { }))
            Write(log, 2);
        File.ReadAllText(file).ShouldStartWith(before);
        File.ReadAllLines(file).Select(LogLine.Parse).Count(l => l is not null).ShouldBe(read);
    }

    private static void Write(StateLog log, int lines)
    {
        for (int i = 0; i < lines; i++)
            log.Write("/trainer", DateTimeOffset.UnixEpoch, new StateChange(LogEvent.TrainerChanged, "Idle", "Running"));
    }

    private sealed class FullDisk : MemoryStream
    {
        public bool IsFull { get; set; }

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (IsFull)
                base.Write(buffer, offset, count / 2);
            if (IsFull)
                throw new IOException("No space left on device");
            base.Write(buffer, offset, count);
        }
    }
}
