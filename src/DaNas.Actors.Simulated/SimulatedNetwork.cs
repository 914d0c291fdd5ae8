using DaNas.Actors.Wire;

namespace DaNas.Actors.Simulated;

/// <summary>
/// Messages between processes, in their wire form. Each may be lost, doubled or late, so that later ones overtake it; a cut link carries
/// nothing in one or both directions.
/// </summary>
public sealed class SimulatedNetwork
{
    private readonly SimulatedWorld world;
    private readonly Dictionary<(string From, string To), TimeSpan> cuts = [];

    internal SimulatedNetwork(SimulatedWorld world) => this.world = world;

    /// <summary>Probabilities of one message.</summary>
    public double Loss { get; set; }

    public double Duplication { get; set; }

    public double Lateness { get; set; }

    /// <summary>Seconds that a late message may take.</summary>
    public double LatestSeconds { get; set; } = 10;

    public long Sent { get; private set; }

    public void Cut(string from, string to, TimeSpan duration) => cuts[(from, to)] = world.Elapsed + duration;

    internal void Send(SimulatedNode from, SimulatedNode to, string path, SimulatedMail mail)
    {
        Sent++;
        if (world.Chance(Loss) || (cuts.TryGetValue((from.Name, to.Name), out TimeSpan until) && world.Elapsed < until))
            return;
        string manifest = WireFormat.ManifestOf(mail.Message);
        byte[] bytes = WireFormat.Write(mail.Message);
        int copies = world.Chance(Duplication) ? 2 : 1;
        for (int i = 0; i < copies; i++)
        {
            TimeSpan delay = world.Chance(Lateness) ? world.Between(0.01, LatestSeconds) : world.Between(0.0002, 0.005);
            world.After(delay, () => to.AtOnce(() => to.Deliver(path, mail with { Message = WireFormat.Read(manifest, bytes) })));
        }
    }
}
