using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DaNas.Runtime.Trainers;

namespace DaNas.Runtime.Searches;

/// <summary>
/// One sample of the processes of a search: bytes, threads, open files, native tensors of each trainer, and the journal's size.
/// </summary>
internal sealed record HealthLine(DateTimeOffset At, long CoordinatorBytes, int CoordinatorThreads, int CoordinatorFiles,
    IReadOnlyList<long> TrainerBytes, IReadOnlyList<int> TrainerThreads, IReadOnlyList<long> TrainerTensors, long JournalBytes)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public string ToJson() => JsonSerializer.Serialize(this, Options);

    public static HealthLine Parse(string json) => JsonSerializer.Deserialize<HealthLine>(json, Options)!;
}

/// <summary>Writes a sample every ten seconds to <c>searches/ID/health.jsonl</c>, to tell a leak from a plateau afterwards.</summary>
internal sealed class HealthLog : IDisposable
{
    public const string FileName = "health.jsonl";

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly OutputFolder folder;
    private readonly string path;
    private readonly IReadOnlyList<TrainerProcess> trainers;
    private readonly Timer timer;

    public HealthLog(OutputFolder folder, string id, IReadOnlyList<TrainerProcess> trainers)
    {
        this.folder = folder;
        this.trainers = trainers;
        path = Path.Combine(folder.SearchFolder(id), FileName);
        timer = new Timer(_ => Sample(), null, Period, Period);
    }

    public void Dispose() => timer.Dispose();

    private void Sample()
    {
        try
        {
            (long bytes, int threads) = Of(Environment.ProcessId);
            (long Bytes, int Threads)[] each = [.. trainers.Select(t => t.ProcessId is { } pid ? Of(pid) : (0, 0))];
            HealthLine line = new(
                DateTimeOffset.UtcNow, bytes, threads, Directory.GetFiles("/proc/self/fd").Length, [.. each.Select(e => e.Bytes)],
                    [.. each.Select(e => e.Threads)], [.. trainers.Select(t => t.LiveTensors)],
                new FileInfo(folder.JournalPath).Length + (File.Exists(folder.JournalPath + "-wal")
                    ? new FileInfo(folder.JournalPath + "-wal").Length : 0));
            File.AppendAllText(path, line.ToJson() + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException or ArgumentException)
        {
            // A sample that cannot be taken is left out.
        }
    }

    private static (long Bytes, int Threads) Of(int pid)
    {
        using Process process = Process.GetProcessById(pid);
        string[] status = File.ReadAllLines(Invariant($"/proc/{pid}/status"));
        return (long.Parse(Word(status, "VmRSS:"), CultureInfo.InvariantCulture) * 1024,
            int.Parse(Word(status, "Threads:"), CultureInfo.InvariantCulture));
    }

    private static string Word(string[] lines, string key) =>
        lines.First(l => l.StartsWith(key, StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1];
}
