using System.Security.Cryptography;
using System.Text;
using DaNas.Actors.Wire;

namespace DaNas.Actors.Embedded.Links;

/// <summary>
/// One message between hosts: receiver, sender, manifest and payload, each on its line, and before them a code over all of it and its number in
/// the session. What does not fit is refused; no type is ever named by the other side but through a known manifest.
/// </summary>
internal static class LinkFrame
{
    /// <summary>Results of whole rounds fit by far; weights never travel here.</summary>
    public const int MaximumBytes = 4 * 1024 * 1024;

    private const int CodeBytes = 16;

    public static byte[] Write(byte[] key, long number, (ActorAddress Receiver, ActorAddress? Sender, object Message) mail)
    {
        byte[] head = Encoding.UTF8.GetBytes($"{mail.Receiver.Path}\n{mail.Sender?.Path}\n{WireFormat.ManifestOf(mail.Message)}\n");
        byte[] body = WireFormat.Write(mail.Message);
        byte[] frame = new byte[CodeBytes + head.Length + body.Length];
        head.CopyTo(frame, CodeBytes);
        body.CopyTo(frame, CodeBytes + head.Length);
        Code(key, number, frame.AsSpan(CodeBytes)).CopyTo(frame.AsSpan());
        return frame;
    }

    /// <summary>
    /// Throws <see cref="InvalidDataException"/> where the frame is not the next one of this session, and <see cref="UnreadableMessageException"/> where it is, but
    /// holds what this version does not know.
    /// </summary>
    public static (ActorAddress Receiver, ActorAddress? Sender, object Message) Read(byte[] key, long number, ReadOnlySpan<byte> frame)
    {
        if (frame.Length < CodeBytes || !CryptographicOperations.FixedTimeEquals(frame[..CodeBytes], Code(key, number, frame[CodeBytes..])))
            throw new InvalidDataException("a frame's code is wrong: damaged, replayed, or from somebody without the secret");
        ReadOnlySpan<byte> rest = frame[CodeBytes..];
        string receiver = Line(ref rest);
        string sender = Line(ref rest);
        string manifest = Line(ref rest);
        try
        {
            return (new ActorAddress(receiver), sender.Length == 0 ? null : new ActorAddress(sender), WireFormat.Read(manifest, rest));
        }
        catch (InvalidDataException e)
        {
            throw new UnreadableMessageException(manifest, e);
        }
    }

    private static byte[] Code(byte[] key, long number, ReadOnlySpan<byte> content)
    {
        using IncrementalHash code = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        code.AppendData(BitConverter.GetBytes(number));
        code.AppendData(content);
        return code.GetHashAndReset()[..CodeBytes];
    }

    private static string Line(ref ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOf((byte)'\n');
        if (end is < 0 or > 1000)
            throw new InvalidDataException("a frame has no head");
        string line = Encoding.UTF8.GetString(rest[..end]);
        rest = rest[(end + 1)..];
        return line;
    }
}

/// <summary>A message from somebody who knows the secret that this version cannot read: from a newer one, during an upgrade.</summary>
public sealed class UnreadableMessageException(string manifest, Exception inner) : Exception(inner.Message, inner)
{
    public string Manifest { get; } = manifest;
}
