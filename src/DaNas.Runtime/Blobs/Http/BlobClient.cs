using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Runtime.Blobs.Http;

/// <summary>
/// Fetches blobs from other nodes into this one's store: what was begun goes on where it broke off, the hash is checked on arrival, a blob
/// is fetched once however many ask for it, and only a few are fetched at a time.
/// </summary>
public sealed class BlobClient(HttpClient http) : IDisposable
{
    private const int AtOnce = 4;
    private const int BufferBytes = 256 * 1024;
    private const int Tries = 4;

    /// <summary>Without a byte for so long, a transfer is broken off; what came is kept.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);

    /// <summary>
    /// A node that has not begun to answer by then is passed over, since it may be frozen and others may have the blob; each further round
    /// waits twice as long.
    /// </summary>
    private static readonly TimeSpan FirstByte = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim slots = new(AtOnce);
    private readonly ConcurrentDictionary<string, Task> underWay = new(StringComparer.Ordinal);

    /// <summary>What a node said to the request for a blob.</summary>
    private enum Got
    {
        Whole,

        /// <summary>It does not have it, or has something else under its name.</summary>
        NotThere,

        /// <summary>It could not be asked; perhaps later.</summary>
        NoAnswer,
    }

    /// <summary>
    /// Makes sure that a blob is here. Throws <see cref="BlobException"/>: lost where every node answered that it does not have it,
    /// unavailable where one could not be asked or the blob cannot be written here.
    /// </summary>
    public async Task EnsureAsync(FileBlobStore store, string search, BlobRef blob, IReadOnlyList<string> nodes,
        CancellationToken cancellation)
    {
        string key = store.PartOf(blob);
        while (!store.Contains(blob))
        {
            TaskCompletionSource mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Task running = underWay.GetOrAdd(key, mine.Task);
            if (running != mine.Task)
            {
                // Another one fetches it; then it is here, or is tried with the nodes that are known to this one.
                await running.WaitAsync(cancellation);
                continue;
            }

            try
            {
                await FetchAsync(store, search, blob, nodes, cancellation);
            }
            finally
            {
                underWay.TryRemove(key, out _);
                mine.SetResult();
            }
        }
    }

    public void Dispose()
    {
        http.Dispose();
        slots.Dispose();
    }

    private async Task FetchAsync(FileBlobStore store, string search, BlobRef blob, IReadOnlyList<string> nodes,
        CancellationToken cancellation)
    {
        await slots.WaitAsync(cancellation);
        try
        {
            Dictionary<string, string> silent = new(StringComparer.Ordinal);
            for (int i = 0; i < Tries; i++)
            {
                silent.Clear();
                long had = LengthOf(store.PartOf(blob));
                foreach (string node in nodes.Distinct())
                {
                    (Got got, string why) = await TryFetchAsync(store, search, blob, new Source(node, FirstByte * (1 << i)), cancellation);
                    if (got == Got.Whole)
                        return;
                    if (got == Got.NoAnswer)
                        silent[node] = why;
                }

                if (silent.Count == 0 && nodes.Count > 0)
                    throw new BlobException(BlobFault.Lost, blob,
                        $"blob {blob.Digest.Short} of {search} was not found on any of the nodes that should have it " +
                            $"({string.Join(", ", nodes)})");
                slots.Release(); // Others need not wait for a node that does not answer.
                try
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(250 << i), cancellation);
                }
                finally
                {
                    await slots.WaitAsync(CancellationToken.None);
                }

                if (LengthOf(store.PartOf(blob)) > had)
                    i = -1; // It goes on where it broke off: no try was lost.
            }

            throw new BlobException(BlobFault.Unavailable, null, $"blob {blob.Digest.Short} of {search} cannot be fetched at the moment " +
                $"({(nodes.Count == 0 ? "no node is known yet" : string.Join("; ", silent.Select(s => $"{s.Key}: {s.Value}")))})");
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<(Got Got, string Why)> TryFetchAsync(
        FileBlobStore store, string search, BlobRef blob, Source source, CancellationToken cancellation)
    {
        string part = store.PartOf(blob);
        using CancellationTokenSource idle = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        idle.CancelAfter(source.FirstByte);
        try
        {
            long have = LengthOf(part);
            using HttpRequestMessage request = new(HttpMethod.Get, BlobEndpoint.AddressOf(source.Node, search, blob.Digest));
            if (have > 0 && have < blob.SizeBytes)
                request.Headers.Range = new RangeHeaderValue(have, null);
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, idle.Token);
            if (!response.IsSuccessStatusCode)
                return response.StatusCode == HttpStatusCode.NotFound
                    ? (Got.NotThere, "not found") : (Got.NoAnswer, $"HTTP {(int)response.StatusCode}");
            idle.CancelAfter(Idle);
            await using Stream body = await response.Content.ReadAsStreamAsync(idle.Token);
            if (!await StoreAsync(part, body, response.StatusCode == HttpStatusCode.PartialContent, blob, idle))
                return (Got.NotThere, "longer than it should be");
            if (Adopt(store, part, blob))
                return (Got.Whole, string.Empty);
            if (have == 0)
                return (Got.NotThere, "content does not match its name");
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException
            || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return (Got.NoAnswer, e is OperationCanceledException ? "no response" : e.Message);
        }

        // What was here was damaged; it is gone, and fetched from its beginning.
        return await TryFetchAsync(store, search, blob, source, cancellation);
    }

    private static async Task<bool> StoreAsync(string part, Stream body, bool goesOn, BlobRef blob, CancellationTokenSource idle)
    {
        byte[] buffer = new byte[BufferBytes];
        FileStream file = Here(part, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(part)!);
            return new FileStream(part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.None, BufferBytes);
        });
        await using (file)
        {
            for (int read; (read = await body.ReadAsync(buffer, idle.Token)) > 0;)
            {
                idle.CancelAfter(Timeout.InfiniteTimeSpan); // A slow disk here is not the other side's silence.
                int count = read;
                Here(part, () =>
                {
                    file.Write(buffer, 0, count);
                    return true;
                });
                idle.CancelAfter(Idle);
                if (file.Length > blob.SizeBytes)
                    return false;
            }

            Here(part, () =>
            {
                file.Flush();
                return true;
            });
        }

        return true;
    }

    private static bool Adopt(FileBlobStore store, string part, BlobRef blob) => Here(part, () => store.Adopt(part, blob));

    private static long LengthOf(string part) => Here(part, () => File.Exists(part) ? new FileInfo(part).Length : 0);

    /// <summary>What fails on this side is this side's trouble, never a lost blob.</summary>
    private static T Here<T>(string part, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BlobException(BlobFault.Unavailable, null,
                $"{part}: the blob cannot be written ({e.Message}); free some space or check the permissions of the folder, and the " +
                    $"search will continue", e);
        }
    }

    /// <summary>A node that may have a blob, and how long it is given to begin its answer.</summary>
    private sealed record Source(string Node, TimeSpan FirstByte);
}
