using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

/// <summary>
/// Units that stand on each other, oldest first. Of the blobs only the newest two are kept: the one to go on from, and the one to fall back
/// to.
/// </summary>
public sealed record UnitChain(ValueList<ChainLink> Links, int Kept)
{
    private const int MostKept = 2;

    public static UnitChain Empty { get; } = new([], 0);

    public int Count => Links.Count;

    public BlobRef? Newest => Count > 0 ? Links[^1].Blob : null;

    public IEnumerable<BlobRef> KeptBlobs => Links.TakeLast(Kept).Select(l => l.Blob);

    public UnitChain Add(ChainLink link) => new(Links.Add(link), Math.Min(Kept + 1, MostKept));

    public bool Has(BlobRef blob) => Links.Any(l => l.Blob == blob);

    /// <summary>How many links stand without a blob: those before it, or none where what they end with is not kept any more.</summary>
    public int Without(BlobRef blob)
    {
        int before = Links.TakeWhile(l => l.Blob != blob).Count();
        return before > Count - Kept ? before : before == Count ? Count : 0;
    }

    public UnitChain Cut(int count) => new(Links.Take(count).ToValueList(), Math.Max(0, Kept - (Count - count)));
}
