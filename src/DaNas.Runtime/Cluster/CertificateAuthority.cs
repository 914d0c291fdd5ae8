using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DaNas.Runtime.Configuration;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// The authority of a cluster, in a folder of the operator's: its certificate and key, what it issued (issued/NAME.crt), and the list of
/// what it revoked. ECDSA on P-256.
/// </summary>
internal sealed class CertificateAuthority : IDisposable
{
    private const string AuthorityKey = "authority.key";
    private const string Issued = "issued";

    private readonly string folder;
    private readonly X509Certificate2 authority;

    private CertificateAuthority(string folder, X509Certificate2 authority) => (this.folder, this.authority) = (folder, authority);

    private string RevokedPath => Path.Combine(folder, Certificates.RevokedFile);

    /// <summary>Makes an authority. Throws <see cref="UsageException"/> where there is one.</summary>
    public static CertificateAuthority Create(string folder, string name, int days)
    {
        if (File.Exists(Path.Combine(folder, AuthorityKey)))
            throw new UsageException($"{folder} already contains an authority; specify another folder, or use the existing authority " +
                $"to issue certificates");
        MakePrivate(folder);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN=danas authority {name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(days));
        File.WriteAllText(Path.Combine(folder, Certificates.AuthorityFile), made.ExportCertificatePem());
        WriteSecret(Path.Combine(folder, AuthorityKey), key.ExportPkcs8PrivateKeyPem());
        RevocationList.Write(Path.Combine(folder, Certificates.RevokedFile), [], key);
        return Open(folder);
    }

    /// <summary>Throws <see cref="UsageException"/> where there is none.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The authority has it.")]
    public static CertificateAuthority Open(string folder)
    {
        try
        {
            return new(folder, X509Certificate2.CreateFromPemFile(
                Path.Combine(folder, Certificates.AuthorityFile), Path.Combine(folder, AuthorityKey)));
        }
        catch (Exception e) when (e is IOException or CryptographicException or UnauthorizedAccessException)
        {
            throw new UsageException($"{folder} contains no authority ({e.Message}); create one with 'danas certificates init {folder}'");
        }
    }

    /// <summary>
    /// Writes a node's folder; a name that was issued before gets a new certificate, and the old one holds until it ends or is revoked.
    /// </summary>
    public void Issue(string name, IReadOnlyList<string> hosts, string to, int days)
    {
        MakePrivate(to);
        MakePrivate(Path.Combine(folder, Issued));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        foreach (string host in hosts.Append("localhost").Append("127.0.0.1").Distinct())
        {
            if (IPAddress.TryParse(host, out IPAddress? address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        DateTimeOffset from = DateTimeOffset.UtcNow.AddMinutes(-5), until = DateTimeOffset.UtcNow.AddDays(days);
        DateTimeOffset last = new(authority.NotAfter);
        using X509Certificate2 made = request.Create(authority, from < new DateTimeOffset(authority.NotBefore)
            ? new DateTimeOffset(authority.NotBefore) : from, until < last ? until : last, RandomNumberGenerator.GetBytes(16));
        File.WriteAllText(Path.Combine(to, Certificates.NodeFile), made.ExportCertificatePem());
        WriteSecret(Path.Combine(to, Certificates.KeyFile), key.ExportPkcs8PrivateKeyPem());
        File.Copy(Path.Combine(folder, Certificates.AuthorityFile), Path.Combine(to, Certificates.AuthorityFile), true);
        File.Copy(RevokedPath, Path.Combine(to, Certificates.RevokedFile), true);
        File.WriteAllText(Path.Combine(folder, Issued, $"{name}-{made.SerialNumber}.crt"), made.ExportCertificatePem());
    }

    /// <summary>The names and addresses that a node's newest certificate holds.</summary>
    public IReadOnlyList<string> HostsOf(string name)
    {
        using X509Certificate2 newest = All(name).MaxBy(c => c.NotBefore)
            ?? throw new UsageException($"the authority in {folder} has not issued a certificate to {name}");
        X509SubjectAlternativeNameExtension names = newest.Extensions.OfType<X509SubjectAlternativeNameExtension>().First();
        return [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(a => a.ToString())];
    }

    /// <summary>All certificates that a name was issued; returns the list's path, which goes to every node's folder.</summary>
    public string Revoke(string name)
    {
        string[] serials = [.. All(name).Select(c => c.SerialNumber)];
        if (serials.Length == 0)
            throw new UsageException($"the authority in {folder} has not issued a certificate to {name}");
        using ECDsa key = authority.GetECDsaPrivateKey()!;
        RevocationList.Write(RevokedPath, [.. RevocationList.Read(RevokedPath, authority), .. serials], key);
        return RevokedPath;
    }

    public void Dispose() => authority.Dispose();

    private IEnumerable<X509Certificate2> All(string name) => Directory.Exists(Path.Combine(folder, Issued))
        ? Directory.EnumerateFiles(Path.Combine(folder, Issued), $"{name}-*.crt").Select(X509CertificateLoader.LoadCertificateFromFile)
            .Where(c => c.Subject == $"CN={name}")
        : [];

    /// <summary>A folder that is there already keeps its mode; the keys in it have their own.</summary>
    private static void MakePrivate(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static void WriteSecret(string path, string text)
    {
        File.WriteAllText(path, string.Empty);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(path, text);
    }
}
