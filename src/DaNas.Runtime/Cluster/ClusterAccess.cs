using System.Net;
using DaNas.Runtime.Configuration;

namespace DaNas.Runtime.Cluster;

/// <summary>A cluster as it is named on the command line or in the environment.</summary>
internal static class ClusterAccess
{
    /// <summary>The coordinators that were named; null where no cluster was.</summary>
    public static IReadOnlyList<NodeAddress>? Coordinators(string? option)
    {
        string? text = option ?? Environment.GetEnvironmentVariable("DANAS_CLUSTER");
        return string.IsNullOrEmpty(text) ? null : NodeAddress.ParseAll(text, "--cluster");
    }

    public static Certificates? Certificates(string? folder) => (folder ?? Environment.GetEnvironmentVariable(
        "DANAS_CERTIFICATES")) is { Length: > 0 } path ? Runtime.Cluster.Certificates.Open(path) : null;

    public static IPEndPoint EndPoint(string text, string option) => IPEndPoint.TryParse(text, out IPEndPoint? end) && end.Port > 0
        ? end : throw new UsageException($"{option} {text}: use ADDRESS:PORT, for example 0.0.0.0:7411");

    /// <summary>A session with the cluster that was named. Throws <see cref="UsageException"/> where none was.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The session has them.")]
    public static ClusterSession Session(string? cluster, string? certificates)
    {
        IReadOnlyList<NodeAddress> coordinators = Coordinators(cluster)
            ?? throw new UsageException("specify the cluster with --cluster HOST:PORT or DANAS_CLUSTER");
        Certificates? own = Certificates(certificates);
        if (own is null && coordinators.FirstOrDefault(c => !c.IsLoopback) is { } far)
            throw new UsageException($"--cluster {far}: except on loopback, connecting to a cluster requires certificates: add " +
                $"--certificates DIR, a folder created by 'danas certificates issue'");
        return new ClusterSession(coordinators, own);
    }
}
