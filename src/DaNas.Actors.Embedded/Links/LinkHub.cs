using System.Collections.Concurrent;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Embedded.Links;

/// <summary>What links need of the host at this end.</summary>
public interface ILinkedHost
{
    /// <summary>A message from another host.</summary>
    void Arrived(ActorAddress receiver, ActorAddress? sender, object message);

    /// <summary>Nobody there can be reached any more: whoever is watched there has ended, as far as can be told from here.</summary>
    void Lost(string host);

    /// <summary>Writes a line of the links' own.</summary>
    void Say(StateChange change);
}

/// <summary>
/// A host's sessions with other hosts, one each. When a session ends and none follows within the grace, actors that were watched there
/// have ended.
/// </summary>
public sealed class LinkHub(ILinkedHost host)
{
    /// <summary>Long enough for a connection that broke to be made again, short against any deadline.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, LinkSession> sessions = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Peers => [.. sessions.Keys];

    /// <summary>Sends where a session is; what cannot be sent is lost, as the protocols expect.</summary>
    public bool Send(ActorAddress receiver, ActorAddress? sender, object message) =>
        sessions.TryGetValue(receiver.Host, out LinkSession? session) && session.Send(receiver, sender, message);

    /// <summary>Carries a session to its end.</summary>
    public async Task<string> CarryAsync(LinkSession session, Action? up, CancellationToken cancellation)
    {
        if (sessions.TryGetValue(session.Peer, out LinkSession? former))
            former.End();
        sessions[session.Peer] = session;
        Log(LogEvent.LinkUp, "Down", "Up", session.Peer, false);
        session.Unreadable = what => Log(LogEvent.LinkUnreadable, "Up", "Up", $"{session.Peer}: {what}; dropped", true);
        up?.Invoke();
        string why = await session.CarryAsync(host.Arrived, cancellation);
        if (sessions.TryRemove(new KeyValuePair<string, LinkSession>(session.Peer, session)))
        {
            Log(LogEvent.LinkDown, "Up", "Down", $"{session.Peer}: {why}", false);
            _ = ForgetLaterAsync(session.Peer);
        }

        return why;
    }

    /// <summary>Ends every session: the others look for another leader.</summary>
    public void EndAll()
    {
        foreach (LinkSession session in sessions.Values)
            session.End();
    }

    private async Task ForgetLaterAsync(string peer)
    {
        await Task.Delay(Grace);
        if (!sessions.ContainsKey(peer))
            host.Lost(peer);
    }

    private void Log(LogEvent e, string from, string to, string cause, bool warning) =>
        host.Say(new StateChange(e, from, to) { Cause = cause, IsWarning = warning });
}
