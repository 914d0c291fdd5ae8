using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Coordination;
using DaNas.Runtime.Journal.Postgres;
using Npgsql;

namespace DaNas.Runtime.Akka;

/// <summary>Where the leases of a cluster are kept; its name stands before each lease's, so that clusters may share a data base.</summary>
public sealed class LeaseStore(PostgresServer server, string cluster) : Setup
{
    public PostgresServer Server => server;

    /// <summary>Told when a lease that was held is lost, with the reason.</summary>
    public Action<string, Exception>? Lost { get; set; }

    /// <summary>The lease's name in the data base.</summary>
    public string NameOf(string lease) => $"{cluster}/{lease}";
}
