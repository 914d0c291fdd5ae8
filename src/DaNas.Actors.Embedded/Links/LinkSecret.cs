using System.Security.Cryptography;
using System.Text;
using DaNas.Ports;

namespace DaNas.Actors.Embedded.Links;

/// <summary>
/// What all nodes of a cluster know and nobody else. It never travels: each side proves that it has it by a code over the other side's nonce, so that
/// what was overheard helps nobody later. An empty one is for loopback only.
/// </summary>
public sealed class LinkSecret
{
    private const int ShortestCharacters = 16;

    private readonly byte[] bytes;

    private LinkSecret(byte[] bytes) => this.bytes = bytes;

    public static LinkSecret None { get; } = new([]);

    public bool IsNone => bytes.Length == 0;

    /// <summary>
    /// The secret in a file that not everybody can read; its group may, since systemd's credentials and Kubernetes' volumes are handed over that way. Throws
    /// <see cref="DataException"/>.
    /// </summary>
    public static LinkSecret FromFile(string path)
    {
        string text;
        try
        {
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)) != 0)
                throw new DataException($"{path}: others can read or change the cluster's secret; chmod 600 {path}");
            text = File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: the cluster's secret cannot be read ({e.Message}); make one with: (umask 077; head -c 32 /dev/urandom | base64 > {path})", e);
        }

        return text.Length >= ShortestCharacters
            ? new LinkSecret(Encoding.UTF8.GetBytes(text))
            : throw new DataException($"{path}: a secret of {text.Length} characters is too short, {ShortestCharacters} at least; make one with: (umask 077; head -c 32 /dev/urandom | base64 > {path})");
    }

    public static string Nonce() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>A code over words in their order, for one purpose.</summary>
    public byte[] Code(string purpose, params ReadOnlySpan<string> words)
    {
        using IncrementalHash code = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, bytes);
        code.AppendData(Encoding.UTF8.GetBytes($"danas/1 {purpose}"));
        foreach (string word in words)
        {
            byte[] text = Encoding.UTF8.GetBytes(word);
            code.AppendData(BitConverter.GetBytes(text.Length));
            code.AppendData(text);
        }

        return code.GetHashAndReset();
    }

    public string Proof(string purpose, params ReadOnlySpan<string> words) => Convert.ToHexStringLower(Code(purpose, words));

    public bool Proves(string? proof, string purpose, params ReadOnlySpan<string> words) =>
        proof is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(proof), Encoding.ASCII.GetBytes(Proof(purpose, words)));
}
