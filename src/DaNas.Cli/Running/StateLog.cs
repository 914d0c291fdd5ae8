using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DaNas.Actors.Logging;

namespace DaNas.Cli.Running;

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

/// <summary>Structured lines to a file, one JSON object each; warnings also go to whoever listens.</summary>
internal sealed class StateLog : IStateLog, IDisposable
{
    private readonly StreamWriter file;
    private readonly Action<LogLine> listener;
    private readonly Lock gate = new();
    private bool closed;

    public StateLog(string path, Action<LogLine> listener)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        file = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        this.listener = listener;
    }

    public void Write(string actor, DateTimeOffset at, StateChange change)
    {
        LogLine line = new(
            at, (int)change.Event, change.Event.ToString(), actor, change.From, change.To, change.Sequence, change.Search, change.Stage, change.Layer, change.Block, change.Unit, change.Attempt, change.Cause, change.IsWarning);
        lock (gate)
        {
            if (closed)
                return;
            try
            {
                file.WriteLine(line.ToJson());
            }
            catch (IOException)
            {
                // A full disk stops the journal, which says so; the log must not take the search down.
            }
        }

        listener(line);
    }

    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            try
            {
                file.Dispose();
            }
            catch (IOException)
            {
                // As above.
            }
        }
    }
}
