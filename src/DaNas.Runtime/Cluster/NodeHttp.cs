using System.Net.Security;
using DaNas.Runtime.Blobs.Http;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// HTTP clients of this process: with its certificate and the authority's judgement of the other side, where there are certificates.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "What is returned has what it is made of.")]
internal static class NodeHttp
{
    /// <summary>Fetches blobs, however long that takes.</summary>
    public static BlobClient Blobs(Certificates? certificates) => new(Client(certificates, Timeout.InfiniteTimeSpan));

    public static HttpClient Client(Certificates? certificates, TimeSpan timeout)
    {
        SocketsHttpHandler handler = new() { ConnectTimeout = TimeSpan.FromSeconds(3), PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (certificates is not null)
            handler.SslOptions = Authentication(certificates, null);
        return new HttpClient(handler) { Timeout = timeout };
    }

    /// <summary>Both sides show certificates; a null host is filled in by the HTTP handler.</summary>
    public static SslClientAuthenticationOptions Authentication(Certificates certificates, string? host) => new()
    {
        TargetHost = host,
        ClientCertificates = [certificates.Own],
        LocalCertificateSelectionCallback = (_, _, _, _, _) => certificates.Own,
        RemoteCertificateValidationCallback = (_, shown, _, errors) => certificates.Accepts(shown, errors),
    };
}
