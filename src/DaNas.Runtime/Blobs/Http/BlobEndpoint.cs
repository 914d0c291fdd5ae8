using DaNas.Domain.Values;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DaNas.Runtime.Blobs.Http;

/// <summary>
/// Serves blobs by search and name, with ranges: <c>GET /blobs/SEARCH/DIGEST</c>. Who may ask, the server decides before.
/// </summary>
public static class BlobEndpoint
{
    /// <summary>Adds the route. The folder of a search comes from <paramref name="folderOf"/> (null: no such name).</summary>
    public static void MapBlobs(this IEndpointRouteBuilder routes, Func<string, string?> folderOf) =>
        routes.MapMethods("/blobs/{search}/{digest}", ["GET", "HEAD"], (string search, string digest) =>
        {
            if (!Digest.IsDigest(digest) || folderOf(search) is not { } folder)
                return Results.NotFound();
            string path = Path.Combine(folder, digest[..2], digest);
            return File.Exists(path) ? Results.File(path, "application/octet-stream", enableRangeProcessing: true) : Results.NotFound();
        });

    /// <summary>Where a blob is served.</summary>
    public static Uri AddressOf(string node, string search, Digest digest) =>
        new(Invariant($"{node.TrimEnd('/')}/blobs/{search}/{digest.Hex}"));
}
