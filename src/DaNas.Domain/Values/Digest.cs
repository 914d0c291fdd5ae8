using System.Security.Cryptography;
using System.Text;

namespace DaNas.Domain.Values;

/// <summary>A SHA-256 digest as 64 lower-case hexadecimal digits: the name of a blob, a configuration, a decision.</summary>
public readonly record struct Digest(string Hex)
{
    public string Short => Hex[..12];

    public static Digest Of(ReadOnlySpan<byte> bytes) => new(Convert.ToHexStringLower(SHA256.HashData(bytes)));

    public static Digest Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    /// <summary>Whether a text has the form of a digest; a name of any other form never reaches a file system.</summary>
    public static bool IsDigest(string text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    public override string ToString() => Hex;
}
