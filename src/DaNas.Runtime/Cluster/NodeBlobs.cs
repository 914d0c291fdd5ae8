using System.Collections.Concurrent;
using System.Diagnostics;
using DaNas.Actors.Cluster;
using DaNas.Domain.Values;

namespace DaNas.Runtime.Cluster;

/// <summary>The blobs of a node that others have too: fetched when a unit needs them.</summary>
internal sealed class NodeBlobs(NodeSettings settings, Runtime.Blobs.Http.BlobClient client, Func<IReadOnlyList<string>> coordinators)
{
    /// <summary>A new leader's first lists are not whole; who was there a moment ago may still have the only copy.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, (NodeInfo Node, long Seen)> roster = new(StringComparer.Ordinal);

    public void Know(ClusterProtocol.Roster message)
    {
        foreach (NodeInfo node in message.Nodes)
            roster[node.Name] = (node, Stopwatch.GetTimestamp());
        foreach (string gone in roster.Where(r => Stopwatch.GetElapsedTime(r.Value.Seen) > Remembered).Select(r => r.Key).ToList())
            roster.TryRemove(gone, out _);
    }

    public void Drop(string search, BlobRef blob) => settings.Folder.OpenBlobs(search).Delete(blob);

    /// <summary>
    /// The leader first, then the other coordinators, one of which may have led before; then the other nodes, beginning at another one on
    /// each.
    /// </summary>
    public Task EnsureAsync(string search, BlobRef blob, CancellationToken stop)
    {
        NodeInfo[] others = [.. roster.Values.Select(r => r.Node).Where(n => n.Name != settings.Name)
            .OrderBy(n => string.CompareOrdinal(n.Name, settings.Name) < 0).ThenBy(n => n.Name, StringComparer.Ordinal)];
        return client.EnsureAsync(settings.Folder.OpenBlobs(search), search, blob,
            [.. coordinators(), .. others.Select(o => o.Address)], stop);
    }
}

/// <summary>Removes from this node's folder what no unit can need any more, as the leader says.</summary>
internal static class NodeDiscards
{
    /// <summary>
    /// What the leader does not name may still be on its way into the journal (a result while the data base is away); only what is older
    /// than any such is removed.
    /// </summary>
    public static readonly TimeSpan Spared = TimeSpan.FromDays(1);

    public static void Discard(NodeSettings settings, string search, IEnumerable<BlobRef> blobs)
    {
        if (StoreOf(settings, search) is not { } store)
            return;
        foreach (BlobRef blob in blobs)
            store.Delete(blob);
    }

    public static void Keep(NodeSettings settings, ClusterProtocol.Keep message, DateTime nowUtc)
    {
        HashSet<Digest> kept = [.. message.Blobs.Select(b => b.Digest)];
        StoreOf(settings, message.Search)?.RemoveOld(kept, nowUtc - Spared);
    }

    /// <summary>Null where this node has nothing of the search.</summary>
    private static Runtime.Blobs.FileBlobStore? StoreOf(NodeSettings settings, string search) =>
        settings.BlobFolderOf(search) is { } folder && Directory.Exists(folder) ? settings.Folder.OpenBlobs(search) : null;
}
