using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Akka;

/// <summary>What Akka itself warns of, as lines of our log. Faults of actors are told by their shells; here are the details.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
internal sealed class AkkaLogger : UntypedActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private const int Longest = 400;

    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, DateTime> said = new(StringComparer.Ordinal);
    private readonly AkkaHost host = Context.System.Settings.Setup.Get<AkkaHost.HostSetup>().Value.Host;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case InitializeLogger:
                Sender.Tell(new LoggerInitialized());
                break;
            case Error e:
                Write(e, $"{e.Message}{(e.Cause is { } cause ? $": {cause.Message}" : string.Empty)}");
                break;
            case Warning w:
                Write(w, w.Message?.ToString() ?? string.Empty);
                break;
        }
    }

    /// <summary>What is tried again each second is said once a minute; of a stack trace only what happened.</summary>
    private void Write(global::Akka.Event.LogEvent line, string text)
    {
        string first = text.Split('\n', 2)[0].TrimEnd();
        string cause = first.Length > Longest ? first[..Longest] : first;
        DateTime at = line.Timestamp.ToUniversalTime();
        if (said.TryGetValue(cause, out DateTime last) && at - last < Again)
            return;
        foreach (string old in said.Where(s => at - s.Value >= Again).Select(s => s.Key).ToList())
            said.Remove(old);
        said[cause] = at;
        host.Log.Write(new ActorAddress($"/{line.LogSource}"), new DateTimeOffset(at, TimeSpan.Zero), new StateChange(Logging.LogEvent.HostWarned, "Running", "Running") { Cause = cause });
    }
}
