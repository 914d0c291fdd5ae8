using System.Net;
using System.Net.Http.Headers;
using DaNas.Domain.Values;
using DaNas.Ports;

namespace DaNas.Storage.Http;

/// <summary>
/// Fetches blobs from other nodes into this one's store: what was begun goes on where it broke off, the hash is checked on arrival, and only a few are
/// fetched at once.
/// </summary>
public sealed class BlobClient(Func<string, string, string> prove) : IDisposable
{
    private const int AtOnce = 4;
    private const int BufferBytes = 256 * 1024;

    private readonly HttpClient http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(3), PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = TimeSpan.FromMinutes(10) };
    private readonly SemaphoreSlim slots = new(AtOnce);

    /// <summary>Bytes that came over the net.</summary>
    public long Fetched { get; private set; }

    /// <summary>Makes sure that a blob is here. Throws <see cref="BlobException"/> where no node has it.</summary>
    public async Task EnsureAsync(FileBlobStore store, string search, BlobRef blob, IReadOnlyList<string> nodes, CancellationToken cancellation)
    {
        if (store.Contains(blob))
            return;
        await slots.WaitAsync(cancellation);
        try
        {
            List<string> tried = [];
            foreach (string node in nodes)
            {
                if (store.Contains(blob))
                    return;
                string? failure = await TryFetchAsync(store, search, blob, node, cancellation);
                if (failure is null)
                    return;
                tried.Add($"{node}: {failure}");
            }

            if (!store.Contains(blob))
                throw new BlobException(BlobFault.Lost, blob, $"blob {blob.Digest.Short} of {search} is on no node ({(tried.Count == 0 ? "none is there to ask" : string.Join("; ", tried))})");
        }
        finally
        {
            slots.Release();
        }
    }

    public void Dispose()
    {
        http.Dispose();
        slots.Dispose();
    }

    /// <summary>Null where it worked, else why not.</summary>
    private async Task<string?> TryFetchAsync(FileBlobStore store, string search, BlobRef blob, string node, CancellationToken cancellation)
    {
        string part = store.PartOf(blob);
        try
        {
            long have = File.Exists(part) ? new FileInfo(part).Length : 0;
            using HttpRequestMessage request = new(HttpMethod.Get, BlobEndpoint.AddressOf(node, search, blob.Digest));
            request.Headers.Add(BlobEndpoint.CodeHeader, prove(search, blob.Digest.Hex));
            if (have > 0 && have < blob.SizeBytes)
                request.Headers.Range = new RangeHeaderValue(have, null);
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!response.IsSuccessStatusCode)
                return response.StatusCode == HttpStatusCode.NotFound ? "not there" : $"HTTP {(int)response.StatusCode}";
            bool goesOn = response.StatusCode == HttpStatusCode.PartialContent;
            Directory.CreateDirectory(Path.GetDirectoryName(part)!);
            await using (FileStream file = new(part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.None, BufferBytes))
            {
                await using Stream body = await response.Content.ReadAsStreamAsync(cancellation);
                byte[] buffer = new byte[BufferBytes];
                for (int read; (read = await body.ReadAsync(buffer, cancellation)) > 0;)
                {
                    await file.WriteAsync(buffer.AsMemory(0, read), cancellation);
                    Fetched += read;
                    if (file.Length > blob.SizeBytes)
                        return "longer than it should be";
                }
            }

            return store.Adopt(part, blob) ? null : "not what its name says";
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return e.Message;
        }
    }
}
