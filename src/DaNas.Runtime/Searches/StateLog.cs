using System.Globalization;
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
        string subject = string.Join(' ', new[] { Unit, Block is null ? null : $"L{Layer:00}/{Block}", Attempt is > 1 ? $"attempt {Attempt}" : null, Sequence is { } s ? $"#{s}" : null }.Where(t => t is not null));
        return string.Create(CultureInfo.InvariantCulture, $"{At:HH:mm:ss.fff} {(Warning ? "WARN" : "info")} {Id} {Actor}  {From} -> {To}  {subject}{(Cause is null ? string.Empty : $"  ({Cause})")}").TrimEnd();
    }
}

/// <summary>
/// Structured lines to a file, one JSON object each; warnings also go to whoever listens. A file that cannot be written (a full disk) takes no search down: the listener hears of it once, and the file says later how
/// many lines are missing.
/// </summary>
internal sealed class StateLog : IStateLog, IDisposable
{
    private const string Self = "/log";

    private readonly string path;
    private readonly Stream file;
    private readonly Action<LogLine> listener;
    private readonly Lock gate = new();
    private int missing;
    private bool closed;

    public StateLog(string path, Action<LogLine> listener)
        : this(path, Open(path), listener)
    {
    }

    /// <param name="path">The file's name, for people.</param>
    /// <param name="file">Writes at once, and at the same place again after a failure.</param>
    /// <param name="listener">Takes every line, whether or not the file did.</param>
    internal StateLog(string path, Stream file, Action<LogLine> listener)
    {
        this.path = path;
        this.file = file;
        this.listener = listener;
    }

    public void Write(string actor, DateTimeOffset at, StateChange change)
    {
        LogLine line = Line(actor, at, change);
        LogLine? about;
        lock (gate)
        {
            if (closed)
                return;
            about = Store(line);
        }

        if (about is not null)
            listener(about);
        listener(line);
    }

    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            file.Dispose();
        }
    }

    private static FileStream Open(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStream file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        if (!file.CanSeek || file.Length == 0)
            return file;
        file.Seek(-1, SeekOrigin.End);
        bool whole = file.ReadByte() == '\n';
        if (!whole)
            file.WriteByte((byte)'\n'); // What a full disk and an end of the process cut.
        return file;
    }

    private static LogLine Line(string actor, DateTimeOffset at, StateChange change) => new(
        at, (int)change.Event, change.Event.ToString(), actor, change.From, change.To, change.Sequence, change.Search, change.Stage, change.Layer, change.Block, change.Unit, change.Attempt, change.Cause, change.IsWarning);

    /// <summary>Writes a line, before it how many are missing; what there is to say about the file itself.</summary>
    private LogLine? Store(LogLine line)
    {
        LogLine? again = missing == 0 ? null : Line(Self, line.At, new StateChange(LogEvent.LogWritable, "Dropping", "Writing") { Search = line.Search, Cause = $"{path}: {missing} lines before this one are missing", IsWarning = true });
        try
        {
            file.Write(Encoding.UTF8.GetBytes($"{(again is null ? string.Empty : again.ToJson() + "\n")}{line.ToJson()}\n"));
            missing = 0;
            return again;
        }
        catch (IOException e)
        {
            return missing++ > 0 ? null : Line(Self, line.At, new StateChange(LogEvent.LogUnwritable, "Writing", "Dropping") { Search = line.Search, Cause = $"{(e.Message.Contains(path, StringComparison.Ordinal) ? e.Message : $"{path}: {e.Message}")}; free some space: lines are missing until then, the search goes on", IsWarning = true });
        }
    }
}
