using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// ImageFolder: <c>train/CLASS/*.jpg</c> with <c>test/</c> (or <c>val/</c>, <c>valid/</c>, <c>validation/</c>) beside it, or
/// <c>CLASS/*.png</c> alone (a test split is then split off). Classes are the folders' names in ordinal order.
/// </summary>
public sealed class FolderSource : FileBackedSource
{
    private readonly Digest fingerprint;

    public FolderSource(string path)
        : this(path, new FolderListing(path))
    {
    }

    private FolderSource(string path, FolderListing listing)
        : base(System.IO.Path.GetFileName(path.TrimEnd('/')), path, listing.Classes)
    {
        (Train, Test, Remarks) = (listing.Train, listing.Test, listing.Remarks);
        fingerprint = Digest.Of(string.Join('\n', Train.Concat(Test).Select(e => Invariant($"{e.Name} {e.Offset}"))));
    }

    /// <summary>Of names and sizes, not of content: listing 1.3 million files must not read them.</summary>
    public override Digest Fingerprint => fingerprint;
}
