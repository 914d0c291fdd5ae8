using DaNas.Runtime.Cluster;

namespace DaNas.Drills;

/// <summary>One process of a drill's cluster: where it listens, and where others are told to reach it.</summary>
internal sealed record DrillNode(string Name, string Role, string Host, int Port, int HttpPort)
{
    public string Listen => Invariant($"{Host}:{Port}");

    public string Http => Invariant($"{Host}:{HttpPort}");

    public required NodeAddress Advertised { get; init; }

    /// <summary>The machine in a net; by default each node is one.</summary>
    public string Machine { get; init; } = Name;

    public string Advertise => Advertised.ToString();
}

/// <summary>How a drill's cluster is laid out: on loopback, on machines of a net, or behind bad lines.</summary>
internal sealed record DrillLayout(int Coordinators, int Trainers)
{
    public DrillNet? Net { get; init; }

    /// <summary>Whether a projector runs beside the first coordinator.</summary>
    public bool Projector { get; init; }

    /// <summary>A port that leads to another one.</summary>
    public Func<int, int>? Via { get; init; }
}
