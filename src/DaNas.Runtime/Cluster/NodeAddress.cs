using System.Globalization;
using System.Net;
using DaNas.Runtime.Configuration;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// Where a node is reached: one port for Akka.Remote, one for HTTPS. Written HOST:PORT, or HOST:PORT/HTTPPORT where the second is not the
/// first plus 1,000.
/// </summary>
internal sealed record NodeAddress(string Host, int Port, int HttpPort)
{
    public const int HttpOffset = 1000;

    /// <summary>HOST:PORT of Akka.Remote.</summary>
    public string Remoting => Invariant($"{Host}:{Port}");

    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host.Trim('[', ']'), out IPAddress? address)
        && IPAddress.IsLoopback(address));

    /// <summary>The base of its HTTPS addresses; HTTP on loopback without certificates.</summary>
    public string Url(bool secure) => Invariant($"{(secure ? "https" : "http")}://{Host}:{HttpPort}");

    public override string ToString() => HttpPort == Port + HttpOffset ? Remoting : Invariant($"{Remoting}/{HttpPort}");

    public static NodeAddress Parse(string text, string option) => TryParse(text) ?? throw new UsageException(
        $"{option} {text}: use HOST:PORT ([ADDRESS]:PORT for IPv6), or HOST:PORT/HTTPPORT if the HTTPS port is not PORT + {HttpOffset}");

    /// <summary>Null for what is no address.</summary>
    public static NodeAddress? TryParse(string text)
    {
        string[] parts = text.Split('/');
        if (parts.Length is 1 or 2 && Uri.TryCreate($"http://{parts[0]}", UriKind.Absolute, out Uri? uri)
            && parts[0].Contains(':', StringComparison.Ordinal) && uri.AbsolutePath == "/" && uri.Port > 0)
        {
            if (parts.Length == 1 && uri.Port + HttpOffset <= IPEndPoint.MaxPort)
                return new(uri.Host, uri.Port, uri.Port + HttpOffset);
            if (parts.Length == 2 && int.TryParse(parts[1], CultureInfo.InvariantCulture, out int http)
                && http is > 0 and <= IPEndPoint.MaxPort)
                return new(uri.Host, uri.Port, http);
        }

        return null;
    }

    public static IReadOnlyList<NodeAddress> ParseAll(string text, string option) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(t => Parse(t, option))];
}
