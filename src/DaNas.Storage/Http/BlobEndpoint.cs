using System.Globalization;
using DaNas.Domain.Values;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DaNas.Storage.Http;

/// <summary>
/// Serves blobs by search and name to whoever shows a code for exactly that blob: <c>GET /blobs/SEARCH/DIGEST</c>, with ranges. A blob never
/// changes, so a code that was overheard gives nothing that was not overheard with it.
/// </summary>
public static class BlobEndpoint
{
    public const string CodeHeader = "X-Danas-Code";

    /// <summary>Adds the route. The folder of a search comes from <paramref name="folderOf"/> (null: no such name), the proof is checked by <paramref name="proves"/>.</summary>
    public static void MapBlobs(this IEndpointRouteBuilder routes, Func<string, string?> folderOf, Func<string?, string, string, bool> proves) =>
        routes.MapMethods("/blobs/{search}/{digest}", ["GET", "HEAD"], (string search, string digest, HttpContext http) =>
        {
            if (!Digest.IsDigest(digest) || folderOf(search) is not { } folder || !proves(http.Request.Headers[CodeHeader].ToString(), search, digest))
                return Results.NotFound(); // Who may not ask learns nothing.
            string path = Path.Combine(folder, digest[..2], digest);
            return File.Exists(path) ? Results.File(path, "application/octet-stream", enableRangeProcessing: true) : Results.NotFound();
        });

    /// <summary>Where a blob is served.</summary>
    public static Uri AddressOf(string node, string search, Digest digest) => new(string.Create(CultureInfo.InvariantCulture, $"{node.TrimEnd('/')}/blobs/{search}/{digest.Hex}"));
}
