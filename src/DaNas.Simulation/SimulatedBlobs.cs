using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Simulation;

/// <summary>The blobs of a simulated cluster: names only, durable, and lost when a fault says so.</summary>
public sealed class SimulatedBlobs
{
    private readonly HashSet<Digest> there = [];

    public BlobRef? Missing(WorkUnit unit) => WorkUnit.InputsOf(unit).FirstOrDefault(b => !there.Contains(b.Digest));

    public void Put(BlobRef blob) => there.Add(blob.Digest);

    public void Delete(BlobRef blob) => there.Remove(blob.Digest);

    public bool Contains(BlobRef blob) => there.Contains(blob.Digest);
}
