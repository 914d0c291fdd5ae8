using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using DaNas.Domain.Ports;

namespace DaNas.Runtime.Datasets;

/// <summary>A file of a public data set. The MD5 sums are those that the data sets' own pages publish.</summary>
internal sealed record PublicFile(string Url, string Md5);

/// <summary>A public data set: what it is and where it lies.</summary>
internal sealed record PublicDataset(string Name, string Form, string Images, IReadOnlyList<PublicFile> Files);

/// <summary>The usual public sets, downloaded with resume and checked.</summary>
internal static class PublicDatasets
{
    private const string Fashion = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";

    public static IReadOnlyList<PublicDataset> All { get; } =
    [
        new("fashion-mnist", "IDX", "70,000 grey 28x28, 10 classes",
        [
            new(Fashion + "train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            new(Fashion + "train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            new(Fashion + "t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
            new(Fashion + "t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
        ]),
        new("cifar-10", "CIFAR binary", "60,000 colour 32x32, 10 classes",
            [new("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530")]),
        new("cifar-100", "CIFAR binary", "60,000 colour 32x32, 100 classes",
            [new("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8")]),
    ];

    public static async Task FetchAsync(PublicDataset dataset, string folder, Action<string> say, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        using HttpClient client = new() { Timeout = TimeSpan.FromMinutes(30) };
        foreach (PublicFile file in dataset.Files)
        {
            string target = Path.Combine(folder, Path.GetFileName(new Uri(file.Url).LocalPath));
            await DownloadAsync(client, file, target, say, stop);
            if (target.EndsWith(".tar.gz", StringComparison.Ordinal))
                await UnpackAsync(target, folder, stop);
        }
    }

    /// <summary>Unpacks the files of an archive into one folder; a path in the archive cannot lead out of it.</summary>
    private static async Task UnpackAsync(string archive, string folder, CancellationToken stop)
    {
        await using GZipStream gzip = new(File.OpenRead(archive), CompressionMode.Decompress);
        await using TarReader tar = new(gzip);
        while (await tar.GetNextEntryAsync(false, stop) is { } entry)
        {
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                await entry.ExtractToFileAsync(Path.Combine(folder, Path.GetFileName(entry.Name)), true, stop);
        }
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5351",
        Justification = "The sources publish MD5 sums; they guard against damage, not against an attacker.")]
    private static async Task<string> Md5Async(string file, CancellationToken stop)
    {
        await using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(await MD5.HashDataAsync(stream, stop));
    }

    private static async Task DownloadAsync(HttpClient client, PublicFile file, string target, Action<string> say, CancellationToken stop)
    {
        if (File.Exists(target) && await Md5Async(target, stop) == file.Md5)
            return;
        string part = target + ".part";
        try
        {
            long have = File.Exists(part) ? new FileInfo(part).Length : 0;
            using HttpRequestMessage request = new(HttpMethod.Get, file.Url);
            if (have > 0)
                request.Headers.Range = new RangeHeaderValue(have, null);
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            response.EnsureSuccessStatusCode();
            bool resumes = response.StatusCode == HttpStatusCode.PartialContent;
            say($"{file.Url}{(resumes ? $" (resuming at {have:N0} bytes)" : string.Empty)}");
            await using FileStream output = new(part, resumes ? FileMode.Append : FileMode.Create);
            await response.Content.CopyToAsync(output, stop);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new DataException($"{file.Url} cannot be downloaded: {e.Message}; try again (the download will resume), or " +
                $"download it by other means", e);
        }

        if (await Md5Async(part, stop) is var sum && sum != file.Md5)
        {
            File.Delete(part);
            throw new DataException($"the download of {file.Url} is corrupt (MD5 {sum}, expected {file.Md5}); try again");
        }

        File.Move(part, target, true);
    }
}
