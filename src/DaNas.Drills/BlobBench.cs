using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using DaNas.Domain.Values;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Blobs.Http;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>
/// MB (1e6 bytes) a second, medians: a blob fetched from a node, hash checked and flushed; the same bytes by cp and by nc, flushed; SHA-256
/// alone. NaN where a program is missing.
/// </summary>
internal sealed record BlobRates(int Megabytes, double Fetch, double Copy, double Netcat, double Hash)
{
    public double FetchToCopy => Fetch / Copy;

    public double FetchToNetcat => Fetch / Netcat;
}

/// <summary>
/// Blobs over loopback from the real endpoint to the real client, beside what other programs do with the same bytes, in turns.
/// </summary>
internal sealed class BlobBench(string folder) : IAsyncDisposable
{
    private const string Search = "bench";

    private readonly NodeServer server = new(Settings(folder, DrillCluster.FreePort()), (_, _) => { });
    private readonly FileBlobStore source = new OutputFolder(folder).OpenBlobs(Search);

    public async Task<BlobRates> RunAsync(int megabytes, int passes)
    {
        await server.StartAsync();
        byte[] bytes = new byte[megabytes * 1_000_000];
        new Random(megabytes).NextBytes(bytes);
        BlobRef blob = source.Put(bytes);
        string file = Path.Combine(server.Settings.BlobFolderOf(Search)!, blob.Digest.Hex[..2], blob.Digest.Hex);
        List<double> fetch = [], copy = [], netcat = [], hash = [];
        for (int i = 0; i < passes; i++)
        {
            string to = Path.Combine(folder, Invariant($"to-{megabytes}-{i}"));
            FileBlobStore store = new(to);
            using (BlobClient client = NodeHttp.Blobs(null))
                fetch.Add(await RateAsync(megabytes, () => client
                    .EnsureAsync(store, Search, blob, [server.Settings.Url], CancellationToken.None)));
            copy.Add(await RateAsync(megabytes, () => ShellAsync("cp \"$1\" \"$2\" && sync -d \"$2\"", file, Path.Combine(to, "copy"))));
            netcat.Add(await RateAsync(megabytes, () => ShellAsync("command -v nc >/dev/null || exit 1; nc -l 127.0.0.1 \"$3\" > \"$2\" " +
                "& until nc -N 127.0.0.1 \"$3\" < \"$1\" 2>/dev/null; do :; done; wait; sync -d \"$2\"", file, Path.Combine(to, "netcat"),
                Invariant($"{DrillCluster.FreePort()}"))));
            hash.Add(await RateAsync(megabytes, () => Task.FromResult(SHA256.HashData(bytes).Length > 0)));
            Directory.Delete(to, true);
        }

        return new(megabytes, Median(fetch), Median(copy), Median(netcat), Median(hash));
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private static NodeSettings Settings(string folder, int port) =>
        new("bench", "bench", new IPEndPoint(IPAddress.Loopback, port), new IPEndPoint(IPAddress.Loopback, port),
            new NodeAddress("127.0.0.1", port, port), new OutputFolder(folder));

    private static async Task<double> RateAsync(int megabytes, Func<Task<bool>> work)
    {
        long started = Stopwatch.GetTimestamp();
        return await work() ? megabytes / Stopwatch.GetElapsedTime(started).TotalSeconds : double.NaN;
    }

    private static Task<double> RateAsync(int megabytes, Func<Task> work) => RateAsync(megabytes, async () =>
    {
        await work();
        return true;
    });

    private static async Task<bool> ShellAsync(string script, params string[] arguments)
    {
        using Process process = Process.Start("bash", ["-c", script, "bash", .. arguments]);
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
