using System.Net;
using DaNas.Actors.Cluster;
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Tests;

/// <summary>What a node keeps on its disk, and whether its device has room for a search.</summary>
public sealed class NodeFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("danas-node-").FullName;
    private readonly NodeSettings settings;

    public NodeFolderTests() => settings = new("t", "c", new IPEndPoint(IPAddress.Loopback, 7411), new IPEndPoint(IPAddress.Loopback, 8411),
        new NodeAddress("127.0.0.1", 7411, 8411), new OutputFolder(folder));

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void What_the_leader_does_not_name_goes_when_it_is_old_and_nothing_else()
    {
        Runtime.Blobs.FileBlobStore store = settings.Folder.OpenBlobs("s");
        BlobRef needed = store.Put([1]);
        BlobRef old = store.Put([2]);
        BlobRef young = store.Put([3]);
        string other = Path.Combine(settings.BlobFolderOf("s")!, "notes.txt");
        File.WriteAllText(other, "not ours");
        DateTime now = DateTime.UtcNow + NodeDiscards.Spared + TimeSpan.FromMinutes(1);
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(f => Path.GetFileName(f) == young.Digest.Hex))
            File.SetLastWriteTimeUtc(file, now);
        NodeDiscards.Keep(settings, new ClusterProtocol.Keep("s", [needed]), now);
        store.All().Select(b => b.Digest).ShouldBe([needed.Digest, young.Digest], ignoreOrder: true);
        store.Contains(old).ShouldBeFalse();
        File.Exists(other).ShouldBeTrue();
        NodeDiscards.Keep(settings, new ClusterProtocol.Keep("never-seen", []), now);
        NodeDiscards.Keep(settings, new ClusterProtocol.Keep("../s", []), now);
        Directory.Exists(settings.BlobFolderOf("never-seen")!).ShouldBeFalse();
        store.Contains(needed).ShouldBeTrue();
    }

    [Fact]
    public async Task A_search_that_asks_for_more_memory_than_is_free_is_not_taken()
    {
        DeviceMemory.FreeOfMachine("MemTotal: 100 kB\nMemAvailable:    2048 kB\n").ShouldBe(2 * 1024 * 1024);
        TrainerOptions options = ConfigLoader.Load("drawn-12", ["trainers.memory=100GiB"], null).Trainers;
        options.MemoryBytes.ShouldBe(100L << 30);
        await DeviceMemory.AdmitAsync(options with { MemoryBytes = 0 }, null, CancellationToken.None);
        await DeviceMemory.AdmitAsync(options with { MemoryBytes = 1 }, null, CancellationToken.None);
        Domain.Ports.DataException refused = await Should.ThrowAsync<Domain.Ports.DataException>(
            () => DeviceMemory.AdmitAsync(options with { MemoryBytes = 1L << 49 }, null, CancellationToken.None));
        refused.Message.ShouldContain("trainers.memory");
    }
}
