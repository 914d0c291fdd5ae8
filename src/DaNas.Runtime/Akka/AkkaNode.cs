using System.Security.Cryptography.X509Certificates;

namespace DaNas.Runtime.Akka;

/// <summary>A node of a cluster: where it listens for Akka.Remote, where others reach it, and under which certificate.</summary>
/// <param name="Listen">The address to bind to.</param>
/// <param name="Port">The port to bind to.</param>
/// <param name="Host">Name or address under which others reach it.</param>
/// <param name="PublicPort">The port under which others reach it.</param>
public sealed record AkkaNode(string Listen, int Port, string Host, int PublicPort)
{
    public const string Coordinator = "coordinator";

    /// <summary>This node's certificate; null on loopback without certificates.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Why a certificate is not accepted; null where it is.</summary>
    public Func<X509Certificate2, string?>? Refuses { get; init; }

    /// <summary>Where Akka.Persistence.Sql finds the cluster's journal; on coordinators only.</summary>
    public string? JournalConnection { get; init; }

    /// <summary>Where the leases are; on coordinators only, who are the members of the cluster.</summary>
    public LeaseStore? Leases { get; init; }

    /// <summary>What the leader does; on coordinators only.</summary>
    public ITerm? Term { get; init; }

    public string Address => Invariant($"{Host}:{PublicPort}");

    internal string Protocol => Certificate is null ? "akka.tcp" : "akka.ssl.tcp";
}
