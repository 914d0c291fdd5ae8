using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using System.Threading.Channels;
using DaNas.Domain.Values;

namespace DaNas.Actors.Embedded.Links;

/// <summary>
/// One WebSocket between two hosts that have proved to each other that they know the secret. Frames carry a code under a key of this session alone,
/// and their number, so none can be forged, changed, repeated or left out unnoticed.
/// </summary>
public sealed class LinkSession : IAsyncDisposable
{
    private const int MostWaiting = 10_000;
    private const int LongestGreeting = 2_000;
    private const int MostUnreadable = 100;
    private const int Version = 1;

    private static readonly TimeSpan GreetingPatience = TimeSpan.FromSeconds(5);

    private readonly HashSet<string> unreadable = new(StringComparer.Ordinal);
    private readonly WebSocket socket;
    private readonly byte[] sendKey;
    private readonly byte[] receiveKey;
    private readonly Channel<(ActorAddress, ActorAddress?, object)> outgoing = Channel.CreateBounded<(ActorAddress, ActorAddress?, object)>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    private readonly CancellationTokenSource ending = new();

    private LinkSession(WebSocket socket, string peer, byte[] sendKey, byte[] receiveKey)
    {
        this.socket = socket;
        this.sendKey = sendKey;
        this.receiveKey = receiveKey;
        Peer = peer;
    }

    /// <summary>Told once for each kind of message that this version does not know.</summary>
    public Action<string>? Unreadable { get; set; }

    /// <summary>The other host's name.</summary>
    public string Peer { get; }

    /// <summary>The side that connected: says who it is, and believes the other side only after its proof.</summary>
    public static async Task<LinkSession> GreetAsync(WebSocket socket, LinkSecret secret, string self, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = Patience(cancellation);
        string mine = LinkSecret.Nonce();
        await SendAsync(socket, new Hello(Version, self, mine, null), patience.Token);
        Hello theirs = await ReceiveAsync(socket, patience.Token);
        if (theirs.Version != Version || !secret.Proves(theirs.Proof, "server", mine, theirs.Nonce, self, theirs.Name))
            throw new InvalidDataException("the other side does not know the cluster's secret, or speaks another version");
        await SendAsync(socket, new Hello(Version, self, mine, secret.Proof("client", mine, theirs.Nonce, self, theirs.Name)), patience.Token);
        return new LinkSession(socket, theirs.Name, secret.Code("to-server", mine, theirs.Nonce), secret.Code("to-client", mine, theirs.Nonce));
    }

    /// <summary>The side that was connected to. Throws <see cref="InvalidDataException"/> for whoever cannot prove that he knows the secret.</summary>
    public static async Task<LinkSession> WelcomeAsync(WebSocket socket, LinkSecret secret, string self, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = Patience(cancellation);
        Hello first = await ReceiveAsync(socket, patience.Token);
        if (first.Version != Version)
            throw new InvalidDataException($"link version {first.Version} is not {Version}");
        string mine = LinkSecret.Nonce();
        await SendAsync(socket, new Hello(Version, self, mine, secret.Proof("server", first.Nonce, mine, first.Name, self)), patience.Token);
        Hello proof = await ReceiveAsync(socket, patience.Token);
        if (proof.Name != first.Name || proof.Nonce != first.Nonce || !secret.Proves(proof.Proof, "client", first.Nonce, mine, first.Name, self))
            throw new InvalidDataException($"'{first.Name}' does not know the cluster's secret");
        return new LinkSession(socket, first.Name, secret.Code("to-client", first.Nonce, mine), secret.Code("to-server", first.Nonce, mine));
    }

    /// <summary>Never blocks; false where too much waits already.</summary>
    public bool Send(ActorAddress receiver, ActorAddress? sender, object message) => outgoing.Writer.TryWrite((receiver, sender, message));

    /// <summary>Carries messages until the connection ends; returns why.</summary>
    public async Task<string> CarryAsync(Action<ActorAddress, ActorAddress?, object> arrived, CancellationToken cancellation)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation, ending.Token);
        Task<string> sending = SendLoopAsync(over.Token);
        Task<string> receiving = ReceiveLoopAsync(arrived, over.Token);
        string why = await await Task.WhenAny(sending, receiving);
        await over.CancelAsync();
        socket.Abort();
        await Task.WhenAll(sending, receiving);
        return why;
    }

    public void End()
    {
        try
        {
            ending.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        ending.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string> SendLoopAsync(CancellationToken cancellation)
    {
        try
        {
            long number = 0;
            await foreach ((ActorAddress Receiver, ActorAddress? Sender, object Message) mail in outgoing.Reader.ReadAllAsync(cancellation))
            {
                byte[] frame = LinkFrame.Write(sendKey, ++number, mail);
                await socket.SendAsync(frame, WebSocketMessageType.Binary, true, cancellation);
            }

            return "ended";
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            return e.Message;
        }
    }

    private async Task<string> ReceiveLoopAsync(Action<ActorAddress, ActorAddress?, object> arrived, CancellationToken cancellation)
    {
        ArrayBufferWriter<byte> frame = new(64 * 1024);
        try
        {
            for (long number = 1; ; number++)
            {
                frame.ResetWrittenCount();
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await socket.ReceiveAsync(frame.GetMemory(16 * 1024), cancellation);
                    if (part.MessageType == WebSocketMessageType.Close)
                        return "closed by the other side";
                    frame.Advance(part.Count);
                    if (frame.WrittenCount > LinkFrame.MaximumBytes)
                        throw new InvalidDataException($"a frame is longer than {LinkFrame.MaximumBytes} bytes");
                }
                while (!part.EndOfMessage);
                (ActorAddress receiver, ActorAddress? sender, object message) mail;
                try
                {
                    mail = LinkFrame.Read(receiveKey, number, frame.WrittenSpan);
                }
                catch (UnreadableMessageException e)
                {
                    if (unreadable.Count < MostUnreadable && unreadable.Add(e.Manifest))
                        Unreadable?.Invoke(e.Message);
                    continue; // As if it had been lost, which every protocol here expects.
                }

                (ActorAddress receiver, ActorAddress? sender, object message) = mail;
                if (sender is not null && sender.Host != Peer)
                    throw new InvalidDataException($"{Peer} speaks for {sender}");
                arrived(receiver, sender, message);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException or InvalidDataException or InvalidOperationException)
        {
            return e.Message;
        }
    }

    private static CancellationTokenSource Patience(CancellationToken cancellation)
    {
        CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(GreetingPatience);
        return patience;
    }

    private static async Task SendAsync(WebSocket socket, Hello hello, CancellationToken cancellation) =>
        await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(hello, DomainJson.Stored), WebSocketMessageType.Text, true, cancellation);

    private static async Task<Hello> ReceiveAsync(WebSocket socket, CancellationToken cancellation)
    {
        byte[] bytes = new byte[LongestGreeting];
        ValueWebSocketReceiveResult got = await socket.ReceiveAsync(bytes.AsMemory(), cancellation);
        if (!got.EndOfMessage || got.MessageType != WebSocketMessageType.Text)
            throw new InvalidDataException("no greeting");
        try
        {
            Hello hello = JsonSerializer.Deserialize<Hello>(bytes.AsSpan(0, got.Count), DomainJson.Stored) ?? throw new InvalidDataException("an empty greeting");
            return hello.Name.Length is > 0 and <= 200 && hello.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~') && hello.Nonce.Length is >= 16 and <= 64
                ? hello : throw new InvalidDataException("a greeting without a proper name and nonce");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("the greeting cannot be read", e);
        }
    }

    /// <summary>The greeting, both ways.</summary>
    private sealed record Hello(int Version, string Name, string Nonce, string? Proof);
}
