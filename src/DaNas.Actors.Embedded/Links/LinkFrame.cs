using System.Text;
using DaNas.Actors.Wire;

namespace DaNas.Actors.Embedded.Links;

/// <summary>
/// One message between hosts: receiver, sender, manifest and payload, each on its line. No type is ever named by the other side but through a known manifest.
/// </summary>
internal static class LinkFrame
{
    public static byte[] Write((ActorAddress Receiver, ActorAddress? Sender, object Message) mail)
    {
        byte[] head = Encoding.UTF8.GetBytes($"{mail.Receiver.Path}\n{mail.Sender?.Path}\n{WireFormat.ManifestOf(mail.Message)}\n");
        return [.. head, .. WireFormat.Write(mail.Message)];
    }

    /// <summary>
    /// Throws <see cref="InvalidDataException"/> for what is no message, and <see cref="UnreadableMessageException"/> for one that this version does not know.
    /// </summary>
    public static (ActorAddress Receiver, ActorAddress? Sender, object Message) Read(ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<byte> rest = frame;
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
