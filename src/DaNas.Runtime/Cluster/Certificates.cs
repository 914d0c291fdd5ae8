using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DaNas.Runtime.Configuration;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// What a process shows to others and whom it lets in: a folder with the authority's certificate (authority.crt), its own (node.crt,
/// node.key), and the authority's signed list of revoked serial numbers (revoked.txt), which is read again when it has changed.
/// </summary>
internal sealed class Certificates : IDisposable
{
    public const string AuthorityFile = "authority.crt";
    public const string NodeFile = "node.crt";
    public const string KeyFile = "node.key";
    public const string RevokedFile = "revoked.txt";

    /// <summary>How often the list of revoked certificates is looked at.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ExpiresSoon = TimeSpan.FromDays(30);

    private readonly X509Certificate2 authority;
    private readonly string folder;
    private readonly Lock gate = new();
    private HashSet<string>? revoked;
    private long looked;

    private Certificates(string folder, X509Certificate2 authority, X509Certificate2 own)
    {
        this.folder = folder;
        this.authority = authority;
        Own = own;
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>What to say of a certificate that ends within 30 days; null for others.</summary>
    public string? Warning => Own.NotAfter - DateTime.Now < ExpiresSoon
        ? Invariant($"the certificate {Path.Combine(folder, NodeFile)} expires on {Own.NotAfter:yyyy-MM-dd}; create a new one with " +
            $"'danas certificates renew', then drain the node, replace the folder and restart the node")
        : null;

    /// <summary>Opens a folder that 'danas certificates issue' made. Throws <see cref="UsageException"/>.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The caller has them.")]
    public static Certificates Open(string folder)
    {
        try
        {
            foreach (string file in new[] { AuthorityFile, NodeFile, KeyFile, RevokedFile })
            {
                if (!File.Exists(Path.Combine(folder, file)))
                    throw new UsageException($"--certificates {folder}: {file} is missing; create the folder of a node with " +
                        $"'danas certificates issue'");
            }

            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(Path.Combine(folder, KeyFile)) & (
                UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)) != 0)
                throw new UsageException($"{Path.Combine(folder, KeyFile)} can be read or changed by other users: run chmod 600 on it");
            X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, AuthorityFile));
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(Path.Combine(folder, NodeFile), Path.Combine(folder, KeyFile));
            Certificates all = new(folder, authority, X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null));
            return all.Refuses(all.Own) is { } why ? throw new UsageException(
                $"--certificates {folder}: its own certificate is rejected: {why}") : all;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--certificates {folder}: {e.Message}");
        }
    }

    /// <summary>Why a certificate is not accepted; null where it is of this authority, in its time, and not revoked.</summary>
    public string? Refuses(X509Certificate2 shown)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true; // Nobody makes this process fetch what his certificate names.
        if (!chain.Build(shown))
            return string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct());
        if (Revoked() is not { } list)
            return $"{Path.Combine(folder, RevokedFile)} is missing or not signed by the authority: all connections are " +
                $"rejected until this is fixed";
        return list.Contains(shown.SerialNumber) ? $"the certificate {shown.Subject} was revoked" : null;
    }

    /// <summary>For connections over HTTPS: the other side's name counts too where this side dials.</summary>
    public bool Accepts(X509Certificate? shown, SslPolicyErrors errors) =>
        shown is X509Certificate2 certificate && (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0
            && Refuses(certificate) is null;

    public void Dispose()
    {
        authority.Dispose();
        Own.Dispose();
    }

    /// <summary>Null, which refuses everybody, where the list is missing or its signature is wrong: somebody has changed it.</summary>
    private HashSet<string>? Revoked()
    {
        lock (gate)
        {
            if (looked != 0 && System.Diagnostics.Stopwatch.GetElapsedTime(looked) < LookEvery)
                return revoked;
            looked = System.Diagnostics.Stopwatch.GetTimestamp();
            try
            {
                revoked = RevocationList.Read(Path.Combine(folder, RevokedFile), authority);
            }
            catch (Exception e) when (e is IOException or CryptographicException or FormatException or UnauthorizedAccessException)
            {
                revoked = null;
            }

            return revoked;
        }
    }
}

/// <summary>Serial numbers, one a line, and the authority's signature over them in the last line.</summary>
internal static class RevocationList
{
    private const string Signature = "signature ";

    /// <summary>Throws <see cref="CryptographicException"/> for a list that the authority did not sign.</summary>
    public static HashSet<string> Read(string path, X509Certificate2 authority)
    {
        string[] lines = File.ReadAllLines(path);
        using ECDsa key = authority.GetECDsaPublicKey() ?? throw new CryptographicException("the authority has no ECDSA key");
        string[] serials = [.. lines.Where(l => l.Length > 0 && !l.StartsWith(Signature, StringComparison.Ordinal))];
        string signature = lines.LastOrDefault(l => l.StartsWith(Signature, StringComparison.Ordinal))?[Signature.Length..] ?? string.Empty;
        return key.VerifyData(Encoding.UTF8.GetBytes(string.Join('\n', serials)), Convert.FromBase64String(signature),
            HashAlgorithmName.SHA256)
            ? [.. serials]
            : throw new CryptographicException($"{path} is not signed by the authority");
    }

    public static void Write(string path, IEnumerable<string> serials, ECDsa key)
    {
        string[] sorted = [.. serials.Distinct().Order(StringComparer.Ordinal)];
        byte[] signature = key.SignData(Encoding.UTF8.GetBytes(string.Join('\n', sorted)), HashAlgorithmName.SHA256);
        string aside = $"{path}.new";
        File.WriteAllLines(aside, [.. sorted, $"{Signature}{Convert.ToBase64String(signature)}"]);
        File.Move(aside, path, true);
    }
}
