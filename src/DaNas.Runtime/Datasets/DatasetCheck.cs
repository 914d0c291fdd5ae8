using System.Security.Cryptography;
using System.Text;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Stages;
using DaNas.Runtime.Configuration;
using DaNas.Torch.Data;

namespace DaNas.Runtime.Datasets;

/// <summary>A data set of which every image was decoded, or every header read.</summary>
/// <param name="Kind">The form of the data set, as the configuration names it.</param>
/// <param name="Summary">What a search would record of it.</param>
/// <param name="Source">The images, with remarks on what is not read.</param>
/// <param name="Broken">A message for each broken image, in order.</param>
/// <param name="Content">SHA-256 of all images in hexadecimal; null where it was not asked for, or an image is broken.</param>
internal sealed record DatasetCheck(
    string Kind, DatasetSummary Summary, ImageSource Source, IReadOnlyList<string> Broken, string? Content)
{
    private const int Side = 32;

    /// <summary>Checks all images on all cores. Throws <see cref="DataException"/> where there is no data set.</summary>
    /// <param name="path">A folder or a catalogue.</param>
    /// <param name="hash">Whether to hash the content of every image.</param>
    /// <param name="headers">Whether to read headers alone.</param>
    /// <param name="said">Takes a line of progress every 20,000 images; null: nobody.</param>
    public static DatasetCheck Of(string path, bool hash, bool headers, Action<string>? said)
    {
        SearchConfig config = ConfigLoader.Load("drawn-12", [], path);
        ImageSource source = ImageSource.Open(config);
        DatasetSummary summary = DatasetCatalog.Describe(source, config);
        ImageEntry[] all = [.. source.Train, .. source.Test];
        List<string> broken = [];
        byte[][] digests = new byte[hash ? all.Length : 0][];
        int done = 0;
        Parallel.ForEach(all, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, (entry, _, i) =>
        {
            try
            {
                if (headers && source is FileBackedSource files)
                    ImageCodec.Header(files.FileOf(entry));
                else
                    source.Decode(entry, new byte[3 * Side * Side], 3, Side);
                if (hash && source.Encoded(entry) is { } bytes)
                    digests[i] = SHA256.HashData([.. Encoding.UTF8.GetBytes($"{Path.GetFileName(entry.Name)}\n"), .. bytes]);
            }
            catch (DataException e)
            {
                lock (broken)
                    broken.Add(e.Message);
            }

            int n = Interlocked.Increment(ref done);
            if (n % 20_000 == 0)
                said?.Invoke(Invariant($"{n:N0} of {all.Length:N0} images {(headers ? "checked" : "decoded")}"));
        });
        broken.Sort(StringComparer.Ordinal);
        string? content = hash && broken.Count == 0 ? all.Length > 0 && digests[0] is null
            ? summary.Fingerprint.Hex : Convert.ToHexStringLower(SHA256.HashData([.. digests.SelectMany(d => d)])) : null;
        return new(ConfigSection.Kebab(config.Data.Kind.ToString()), summary, source, broken, content);
    }
}
