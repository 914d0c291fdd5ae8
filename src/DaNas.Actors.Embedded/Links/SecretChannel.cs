using System.Buffers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using DaNas.Domain.Values;

namespace DaNas.Actors.Embedded.Links;

/// <summary>
/// One WebSocket between two sides that have proved to each other that they know the secret. Frames carry a code under a key of this connection alone,
/// and their number, so none can be forged, changed, repeated or left out unnoticed.
/// </summary>
public sealed class SecretChannel : INodeConnection
{
    /// <summary>Results of whole rounds fit by far; weights never travel here.</summary>
    public const int MaximumBytes = 4 * 1024 * 1024;

    private const int CodeBytes = 16;
    private const int MostWaiting = 10_000;
    private const int LongestGreeting = 2_000;
    private const int Version = 1;

    private static readonly TimeSpan LastRead = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan GreetingPatience = TimeSpan.FromSeconds(5);

    private readonly WebSocket socket;
    private readonly byte[] sendKey;
    private readonly byte[] receiveKey;
    private readonly Channel<byte[]> outgoing = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    private readonly CancellationTokenSource ending = new();

    private SecretChannel(WebSocket socket, string peer, byte[] sendKey, byte[] receiveKey)
    {
        this.socket = socket;
        this.sendKey = sendKey;
        this.receiveKey = receiveKey;
        Peer = peer;
    }

    /// <inheritdoc/>
    public string Peer { get; }

    /// <summary>The side that connected: says who it is, and believes the other side only after its proof.</summary>
    public static async Task<SecretChannel> GreetAsync(WebSocket socket, LinkSecret secret, string self, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = Patience(cancellation);
        string mine = LinkSecret.Nonce();
        await SendAsync(socket, new Hello(Version, self, mine, null), patience.Token);
        Hello theirs = await ReceiveAsync(socket, patience.Token);
        if (theirs.Version != Version || !secret.Proves(theirs.Proof, "server", mine, theirs.Nonce, self, theirs.Name))
            throw new InvalidDataException("the other side does not know the cluster's secret, or speaks another version");
        await SendAsync(socket, new Hello(Version, self, mine, secret.Proof("client", mine, theirs.Nonce, self, theirs.Name)), patience.Token);
        return new SecretChannel(socket, theirs.Name, secret.Code("to-server", mine, theirs.Nonce), secret.Code("to-client", mine, theirs.Nonce));
    }

    /// <summary>The side that was connected to. Throws <see cref="InvalidDataException"/> for whoever cannot prove that he knows the secret.</summary>
    public static async Task<SecretChannel> WelcomeAsync(WebSocket socket, LinkSecret secret, string self, CancellationToken cancellation)
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
        return new SecretChannel(socket, first.Name, secret.Code("to-client", first.Nonce, mine), secret.Code("to-server", first.Nonce, mine));
    }

    /// <inheritdoc/>
    public bool Send(byte[] content) => outgoing.Writer.TryWrite(content);

    /// <inheritdoc/>
    public async Task<string> CarryAsync(Action<ReadOnlyMemory<byte>> arrived, CancellationToken cancellation)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation, ending.Token);
        Task<string> sending = SendLoopAsync(over.Token);
        Task<string> receiving = ReceiveLoopAsync(arrived, over.Token);
        Task<string> first = await Task.WhenAny(sending, receiving);
        string why = await first;
        if (first == sending && !over.IsCancellationRequested)
            await LetReadAsync(receiving, over.Token);
        await over.CancelAsync();
        socket.Abort();
        await Task.WhenAll(sending, receiving);
        return why;
    }

    /// <inheritdoc/>
    public void Close() => outgoing.Writer.TryComplete();

    /// <summary>Ends it at once; what waits is lost.</summary>
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

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        ending.Dispose();
        return ValueTask.CompletedTask;
    }

    private static byte[] Sealed(byte[] key, long number, byte[] content)
    {
        byte[] frame = new byte[CodeBytes + content.Length];
        content.CopyTo(frame, CodeBytes);
        Code(key, number, content).CopyTo(frame.AsSpan());
        return frame;
    }

    private static byte[] Code(byte[] key, long number, ReadOnlySpan<byte> content)
    {
        using IncrementalHash code = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        code.AppendData(BitConverter.GetBytes(number));
        code.AppendData(content);
        return code.GetHashAndReset()[..CodeBytes];
    }

    /// <summary>Closed from here: the other side reads what was sent last before the connection breaks.</summary>
    private async Task LetReadAsync(Task receiving, CancellationToken cancellation)
    {
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellation).WaitAsync(LastRead, cancellation);
            await receiving.WaitAsync(LastRead, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // It breaks, then.
        }
    }

    private async Task<string> SendLoopAsync(CancellationToken cancellation)
    {
        try
        {
            long number = 0;
            await foreach (byte[] content in outgoing.Reader.ReadAllAsync(cancellation))
                await socket.SendAsync(Sealed(sendKey, ++number, content), WebSocketMessageType.Binary, true, cancellation);
            return "ended";
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            return e.Message;
        }
    }

    private async Task<string> ReceiveLoopAsync(Action<ReadOnlyMemory<byte>> arrived, CancellationToken cancellation)
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
                    if (frame.WrittenCount > MaximumBytes)
                        throw new InvalidDataException($"a frame is longer than {MaximumBytes} bytes");
                }
                while (!part.EndOfMessage);
                ReadOnlyMemory<byte> whole = frame.WrittenMemory;
                if (whole.Length < CodeBytes || !CryptographicOperations.FixedTimeEquals(whole.Span[..CodeBytes], Code(receiveKey, number, whole.Span[CodeBytes..])))
                    throw new InvalidDataException("a frame's code is wrong: damaged, replayed, or from somebody without the secret");
                arrived(whole[CodeBytes..]);
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
            return hello.Name.Length is > 0 and <= 200 && hello.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~' or ':' or '[' or ']') && hello.Nonce.Length is >= 16 and <= 64
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
