using System.Net.WebSockets;

namespace DaNas.Actors.Embedded.Links;

/// <summary>Messages between two hosts over one connection that only those who know the secret can make.</summary>
public sealed class LinkSession : IAsyncDisposable
{
    private const int MostUnreadable = 100;

    private readonly HashSet<string> unreadable = new(StringComparer.Ordinal);
    private readonly SecretChannel channel;

    private LinkSession(SecretChannel channel) => this.channel = channel;

    /// <summary>Told once for each kind of message that this version does not know.</summary>
    public Action<string>? Unreadable { get; set; }

    /// <summary>The other host's name.</summary>
    public string Peer => channel.Peer;

    /// <summary>The side that connected: says who it is, and believes the other side only after its proof.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The session owns its channel.")]
    public static async Task<LinkSession> GreetAsync(WebSocket socket, LinkSecret secret, string self, CancellationToken cancellation) =>
        new(await SecretChannel.GreetAsync(socket, secret, self, cancellation));

    /// <summary>The side that was connected to. Throws <see cref="InvalidDataException"/> for whoever cannot prove that he knows the secret.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The session owns its channel.")]
    public static async Task<LinkSession> WelcomeAsync(WebSocket socket, LinkSecret secret, string self, CancellationToken cancellation) =>
        new(await SecretChannel.WelcomeAsync(socket, secret, self, cancellation));

    /// <summary>Never blocks; false where too much waits already. Throws <see cref="InvalidDataException"/> for what has no manifest.</summary>
    public bool Send(ActorAddress receiver, ActorAddress? sender, object message) => channel.Send(LinkFrame.Write((receiver, sender, message)));

    /// <summary>Carries messages until the connection ends; returns why.</summary>
    public Task<string> CarryAsync(Action<ActorAddress, ActorAddress?, object> arrived, CancellationToken cancellation) => channel.CarryAsync(
        frame =>
        {
            try
            {
                (ActorAddress receiver, ActorAddress? sender, object message) = LinkFrame.Read(frame.Span);
                if (sender is not null && sender.Host != Peer)
                    throw new InvalidDataException($"{Peer} speaks for {sender}");
                arrived(receiver, sender, message);
            }
            catch (UnreadableMessageException e)
            {
                // As if it had been lost, which every protocol here expects.
                if (unreadable.Count < MostUnreadable && unreadable.Add(e.Manifest))
                    Unreadable?.Invoke(e.Message);
            }
        },
        cancellation);

    public void End() => channel.End();

    public ValueTask DisposeAsync() => channel.DisposeAsync();
}
