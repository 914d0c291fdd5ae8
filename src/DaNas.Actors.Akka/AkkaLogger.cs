using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Akka;

/// <summary>What Akka itself warns of, as lines of our log. Faults of actors are told by their shells; here are the details.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
internal sealed class AkkaLogger : UntypedActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
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

    private void Write(global::Akka.Event.LogEvent line, string text) =>
        host.Log.Write(new ActorAddress($"/{line.LogSource}"), new DateTimeOffset(line.Timestamp.ToUniversalTime(), TimeSpan.Zero), new StateChange(Logging.LogEvent.HostWarned, "Running", "Running") { Cause = text });
}
