using System.Globalization;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>Pictures in files of their own, decoded by SkiaSharp.</summary>
public abstract class FileBackedSource(string name, string root, ValueList<string> classes) : ImageSource(name, classes)
{
    protected string Root => root;

    /// <summary>Whether pictures are turned as their EXIF orientation says (data.exif-orientation).</summary>
    public bool Upright { get; init; }

    public string FileOf(ImageEntry entry) => System.IO.Path.Combine(root, entry.Name);

    public override byte[] Encoded(ImageEntry entry)
    {
        string file = FileOf(entry);
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{file} cannot be read: {e.Message}", e);
        }
    }

    public override void Decode(ImageEntry entry, Span<byte> pixels, int channels, int size)
    {
        (byte[] rgb, int width, int height) = ImageCodec.Decode(Encoded(entry), FileOf(entry), Upright);
        Pixels.Resize(rgb, (width, height, 3), pixels, channels, size);
    }
}

/// <summary>
/// ImageFolder: <c>train/CLASS/*.jpg</c> with <c>test/</c> (or <c>val/</c>, <c>valid/</c>, <c>validation/</c>) beside it, or <c>CLASS/*.png</c> alone (a test split is then
/// split off). Classes are the folders' names in ordinal order.
/// </summary>
public sealed class FolderSource : FileBackedSource
{
    private readonly Digest fingerprint;

    public FolderSource(string path)
        : this(path, new FolderListing(path))
    {
    }

    private FolderSource(string path, FolderListing listing)
        : base(System.IO.Path.GetFileName(path.TrimEnd('/')), path, listing.Classes)
    {
        (Train, Test, Remarks) = (listing.Train, listing.Test, listing.Remarks);
        fingerprint = Digest.Of(string.Join('\n', Train.Concat(Test).Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Name} {e.Offset}"))));
    }

    /// <summary>Of names and sizes, not of content: listing 1.3 million files must not read them.</summary>
    public override Digest Fingerprint => fingerprint;
}

/// <summary>A list of files, one a line: <c>split TAB class TAB path</c>, split is train or test; paths are relative to the list.</summary>
public sealed class CatalogueSource : FileBackedSource
{
    private readonly Digest fingerprint;

    public CatalogueSource(string file)
        : this(file, Read(file))
    {
    }

    private CatalogueSource(string file, Listing list)
        : base(System.IO.Path.GetFileNameWithoutExtension(file), System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!, list.Classes)
    {
        (Train, Test, Remarks) = (list.Train, list.Test, list.Remarks);
        fingerprint = list.Fingerprint;
    }

    public override Digest Fingerprint => fingerprint;

    private static Listing Read(string file)
    {
        if (!File.Exists(file))
            throw new DataException($"{file} is missing; a catalogue is a text file with lines 'split TAB class TAB path'");
        if (DatasetArchive.Is(file))
            throw new DataException($"{file} is an archive: unpack it first ({DatasetArchive.Command(file)}) and name its folder with --data");
        Dictionary<string, int> classes = new(StringComparer.Ordinal);
        List<ImageEntry> train = [];
        List<ImageEntry> test = [];
        Repeats repeats = new();
        int line = 0;
        foreach (string text in File.ReadLines(file))
        {
            line++;
            if (string.IsNullOrWhiteSpace(text))
                continue;
            string[] parts = text.Split('\t');
            if (parts.Length != 3 || parts[0] is not ("train" or "test") || parts[1].Length == 0 || parts[2].Length == 0)
                throw new DataException($"{file}:{line}: expected 'train' or 'test', a class and a path with tabs between{(text.Contains(',', StringComparison.Ordinal) ? " (commas and quotes are parts of a name)" : string.Empty)}, found '{(text.Length > 60 ? text[..60] : text)}'");
            if (!classes.TryGetValue(parts[1], out int c))
                classes[parts[1]] = c = classes.Count;
            repeats.Add(parts[2], parts[0] == "test", c, parts[1]);
            (parts[0] == "train" ? train : test).Add(new ImageEntry(c, parts[2], 0));
        }

        if (classes.Count < 2)
            throw new DataException($"{file} names {classes.Count} classes; a data set has two or more");
        using FileStream stream = File.OpenRead(file);
        return new(train, test, classes.Keys.ToValueList(), new Digest(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream))), repeats.Remarks);
    }

    private sealed record Listing(List<ImageEntry> Train, List<ImageEntry> Test, ValueList<string> Classes, Digest Fingerprint, IReadOnlyList<string> Remarks);

    /// <summary>Files that a catalogue names more than once: a picture in both splits makes the test's accuracy too good, one in two classes is wrong in one of them.</summary>
    private sealed class Repeats
    {
        private readonly Dictionary<string, (bool Test, int Class)> first = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, (int Count, string Example)> found = new(StringComparer.Ordinal);

        public IReadOnlyList<string> Remarks => [.. found.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Key}: {f.Value.Count:N0}, such as {f.Value.Example}"))];

        public void Add(string path, bool test, int @class, string name)
        {
            if (first.TryAdd(path, (test, @class)))
                return;
            (bool before, int other) = first[path];
            string what = test != before ? "pictures are listed for training and for test" : @class != other ? "pictures are listed under two classes" : "pictures are listed twice";
            found[what] = (found.GetValueOrDefault(what).Count + 1, found.GetValueOrDefault(what).Example ?? (@class != other ? $"{path} (also as '{name}')" : path));
        }
    }
}
