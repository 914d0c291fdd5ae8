using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DaNas.Actors.Logging;

namespace DaNas.Runtime.Searches;

/// <summary>One line of the log as it stands in the file.</summary>
internal sealed record LogLine(
    DateTimeOffset At,
    int Id,
    string Event,
    string Actor,
    string From,
    string To,
    long? Sequence,
    string? Search,
    int? Stage,
    int? Layer,
    string? Block,
    string? Unit,
    int? Attempt,
    string? Cause,
    bool Warning)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static LogLine? Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<LogLine>(json, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, Options);

    /// <summary>The line for a person's eyes.</summary>
    public string ToText()
    {
        string subject = string.Join(' ', new[] { Unit, Block is null ? null : $"L{Layer:00}/{Block}", Attempt is > 1
            ? $"attempt {Attempt}" : null, Sequence is { } s ? $"#{s}" : null }.Where(t => t is not null));
        return Invariant($"{At:HH:mm:ss.fff} {(Warning ? "WARN" : "info")} {Id} {Actor}  {From} -> {To}  " +
            $"{subject}{(Cause is null ? string.Empty : $"  ({Cause})")}").TrimEnd();
    }
}

/// <summary>
/// Structured lines to a file, one JSON object each; warnings also go to whoever listens. A file that cannot be written takes no search
/// down: the listener hears of it once, and the file says later how many lines are missing.
/// </summary>
internal sealed class StateLog : IStateLog, IDisposable
{
    private const string Self = "/log";

    private readonly string path;
    private readonly Stream file;
    private readonly Action<LogLine> listener;
    private readonly Lock gate = new();
    private LogLine? last;
    private int missing;
    private bool isCut;
    private bool closed;

    public StateLog(string path, Action<LogLine> listener)
        : this(path, Open(path), listener)
    {
    }

    /// <param name="path">The file's name, for people.</param>
    /// <param name="file">Writes at once, and can be read where it can be sought in.</param>
    /// <param name="listener">Takes every line, whether or not the file did.</param>
    internal StateLog(string path, Stream file, Action<LogLine> listener)
    {
        this.path = path;
        this.file = file;
        this.listener = listener;
        if (!file.CanSeek || file.Length == 0)
            return;
        file.Seek(-1, SeekOrigin.End);
        isCut = file.ReadByte() != '\n'; // By a full disk and an end of the process: the next line begins a new one.
    }

    public void Write(string actor, DateTimeOffset at, StateChange change)
    {
        LogLine line = Line(actor, at, change);
        LogLine? about;
        lock (gate)
        {
            if (closed)
                return;
            last = line;
            about = Store(line);
        }

        if (about is not null)
            Tell(about);
        Tell(line);
    }

    public void Dispose()
    {
        LogLine? about = null;
        lock (gate)
        {
            if (!closed && missing > 0)
            {
                about = Missing(last!, "at the end");
                TryWrite(about.ToJson() + "\n");
            }

            closed = true;
            file.Dispose();
        }

        if (about is not null)
            Tell(about);
    }

    /// <summary>The lines of a log: whole ones, and at the end what is there of one, unless more is waited for.</summary>
    public static async IAsyncEnumerable<string> ReadAsync(string path, bool follow, [EnumeratorCancellation] CancellationToken stop)
    {
        using StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        char[] buffer = new char[8192];
        string pending = string.Empty;
        while (!stop.IsCancellationRequested)
        {
            int read = await reader.ReadAsync(buffer, stop);
            if (read == 0 && !follow)
                break;
            if (read == 0)
                await Task.Delay(300, stop);
            string[] lines = (pending + new string(buffer, 0, read)).Split('\n');
            pending = lines[^1];
            foreach (string line in lines[..^1])
                yield return line;
        }

        if (pending.Length > 0)
            yield return pending;
    }

    private static FileStream Open(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
    }

    private static LogLine Line(string actor, DateTimeOffset at, StateChange change) => new(
        at, (int)change.Event, change.Event.ToString(), actor, change.From, change.To, change.Sequence, change.Search, change.Stage,
            change.Layer, change.Block, change.Unit, change.Attempt, change.Cause, change.IsWarning);

    private LogLine Missing(LogLine beside, string where) =>
        Line(Self, beside.At, new StateChange(LogEvent.LogWritable, "Dropping", "Writing")
        {
            Search = beside.Search,
            Cause = $"{path}: lines missing {where}: {missing}",
            IsWarning = true
        });

    /// <summary>Writes a line, before it how many are missing; what there is to say about the file itself.</summary>
    private LogLine? Store(LogLine line)
    {
        LogLine? again = missing == 0 ? null : Missing(line, "before this one");
        if (TryWrite($"{(again is null ? string.Empty : again.ToJson() + "\n")}{line.ToJson()}\n") is not { } fault)
        {
            missing = 0;
            return again;
        }

        string cause = fault.Message.Contains(path, StringComparison.Ordinal) ? fault.Message : $"{path}: {fault.Message}";
        string remedy = cause.Contains("No space", StringComparison.Ordinal) ? "; free some space" : string.Empty;
        return missing++ > 0 ? null : Line(Self, line.At, new StateChange(LogEvent.LogUnwritable, "Writing", "Dropping")
        {
            Search =
            line.Search,
            Cause = $"{cause}{remedy}: lines will be missing until this is fixed; the search continues",
            IsWarning = true
        });
    }

    /// <summary>Writes all of a text or nothing of it; the fault.</summary>
    private Exception? TryWrite(string text)
    {
        long end = file.CanSeek ? file.Position : 0;
        try
        {
            file.Write(Encoding.UTF8.GetBytes((isCut ? "\n" : string.Empty) + text));
            isCut = false;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TakeBack(end);
            return e;
        }
    }

    private void TakeBack(long end)
    {
        try
        {
            if (!file.CanSeek)
                return;
            file.SetLength(end);
            file.Position = end;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            isCut = true; // What is there of the line stays.
        }
    }

    /// <summary>The terminal, or the file behind it, may be on the same full disk.</summary>
    private void Tell(LogLine line)
    {
        try
        {
            listener(line);
        }
        catch (IOException)
        {
            // The file has the line, or says that it is missing.
        }
    }
}
