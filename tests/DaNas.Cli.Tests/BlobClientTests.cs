using DaNas.Domain.Ports;
using DaNas.Domain.Values;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Blobs.Http;

namespace DaNas.Cli.Tests;

/// <summary>Fetching blobs: what is lost, what is only unavailable, and many at once.</summary>
public sealed class BlobClientTests
{
    [Fact]
    public async Task Many_that_want_the_same_blob_at_once_all_get_it_from_one_transfer()
    {
        await using TestNode node = await TestNode.StartAsync();
        byte[] bytes = new byte[3_000_000];
        new Random(1).NextBytes(bytes);
        BlobRef blob = new FileBlobStore(node.Settings.BlobFolderOf("s1")!).Put(bytes);
        FileBlobStore here = new(Path.Combine(node.Settings.Folder.Root, "here"));
        using BlobClient client = TestNode.Client();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ =>
            Task.Run(() => client.EnsureAsync(here, "s1", blob, [node.Settings.Url], CancellationToken.None))));
        here.Get(blob).ShouldBe(bytes);
        Directory.EnumerateFiles(Path.Combine(node.Settings.Folder.Root, "here"), "*.part",
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_transfer_that_broke_off_goes_on_where_it_was_and_a_wrong_beginning_is_thrown_away()
    {
        await using TestNode node = await TestNode.StartAsync();
        byte[] bytes = new byte[1_000_000];
        new Random(2).NextBytes(bytes);
        BlobRef blob = new FileBlobStore(node.Settings.BlobFolderOf("s1")!).Put(bytes);
        using BlobClient client = TestNode.Client();
        foreach (bool right in new[] { true, false })
        {
            FileBlobStore here = new(Path.Combine(node.Settings.Folder.Root, $"here-{right}"));
            string folder = Path.Combine(node.Settings.Folder.Root, $"here-{right}", blob.Digest.Hex[..2]);
            Directory.CreateDirectory(folder);
            await File.WriteAllBytesAsync(Path.Combine(folder, $".{blob.Digest.Short}.fetched.part"), right
                ? bytes[..400_000] : new byte[400_000]);
            await client.EnsureAsync(here, "s1", blob, [node.Settings.Url], CancellationToken.None);
            here.Get(blob).ShouldBe(bytes);
        }
    }

    [Fact]
    public async Task Only_a_blob_that_every_node_denies_is_lost_trouble_here_or_a_silent_node_is_waited_for()
    {
        await using TestNode node = await TestNode.StartAsync();
        FileBlobStore there = new(node.Settings.BlobFolderOf("s1")!);
        BlobRef blob = there.Put("here it is"u8);
        BlobRef nowhere = new(Digest.Of("nowhere"), 7);
        FileBlobStore here = new(Path.Combine(node.Settings.Folder.Root, "here"));
        using BlobClient client = TestNode.Client();
        (await Should.ThrowAsync<BlobException>(() => client
            .EnsureAsync(here, "s1", nowhere, [node.Settings.Url], CancellationToken.None))).Fault.ShouldBe(BlobFault.Lost);
        (await Should.ThrowAsync<BlobException>(() => client
            .EnsureAsync(here, "s1", nowhere, ["http://127.0.0.1:1"], CancellationToken.None))).Fault.ShouldBe(BlobFault.Unavailable);
        (await Should.ThrowAsync<BlobException>(() => client.EnsureAsync(here, "s1", nowhere, [], CancellationToken.None))).Fault
            .ShouldBe(BlobFault.Unavailable);
        await File.WriteAllTextAsync(Path.Combine(node.Settings.Folder.Root, "here", blob.Digest.Hex[..2]),
            "a file where the folder should be");
        (await Should.ThrowAsync<BlobException>(() => client
            .EnsureAsync(here, "s1", blob, [node.Settings.Url], CancellationToken.None))).Fault.ShouldBe(BlobFault.Unavailable);
    }

    /// <summary>A frozen node's kernel still accepts connections.</summary>
    [Fact]
    public async Task A_node_that_accepts_and_never_answers_is_passed_over()
    {
        await using TestNode node = await TestNode.StartAsync();
        using System.Net.Sockets.TcpListener frozen = new(System.Net.IPAddress.Loopback, 0);
        frozen.Start();
        BlobRef blob = new FileBlobStore(node.Settings.BlobFolderOf("s1")!).Put("here it is"u8);
        FileBlobStore here = new(Path.Combine(node.Settings.Folder.Root, "here"));
        using BlobClient client = TestNode.Client();
        await client.EnsureAsync(here, "s1", blob, [$"http://{frozen.LocalEndpoint}", node.Settings.Url], CancellationToken.None);
        here.Get(blob).ShouldBe("here it is"u8.ToArray());
    }
}
