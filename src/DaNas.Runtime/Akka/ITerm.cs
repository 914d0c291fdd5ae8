using System.Security.Cryptography.X509Certificates;

namespace DaNas.Runtime.Akka;

/// <summary>What the cluster's singleton does while it lives on this node. One term at most: then the process ends.</summary>
public interface ITerm
{
    /// <summary>The lease is held: opens the journal and begins the leader's actors.</summary>
    Task BeginAsync(AkkaHost host);

    /// <summary>The singleton leaves: ends the leader's actors.</summary>
    Task EndAsync();
}
