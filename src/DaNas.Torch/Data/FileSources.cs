using System.Globalization;
using DaNas.Domain.Values;
using DaNas.Ports;

namespace DaNas.Torch.Data;

/// <summary>Pictures in files of their own, decoded by libjpeg-turbo and libpng.</summary>
public abstract class FileBackedSource(string name, string root, ValueList<string> classes) : ImageSource(name, classes)
{
    protected string Root => root;

    public override byte[] Encoded(ImageEntry entry)
    {
        string file = System.IO.Path.Combine(root, entry.Name);
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
        (byte[] rgb, int width, int height) = ImageCodec.Decode(Encoded(entry), System.IO.Path.Combine(root, entry.Name));
        Pixels.Resize(rgb, (width, height, 3), pixels, channels, size);
    }
}

/// <summary>
/// ImageFolder: <c>train/CLASS/*.jpg</c> with <c>test/</c> or <c>val/</c> beside it, or <c>CLASS/*.png</c> alone (a test split is then
/// split off). Classes are the folders' names in ordinal order.
/// </summary>
public sealed class FolderSource : FileBackedSource
{
    private static readonly string[] TestFolders = ["test", "val"];
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png"];

    private readonly Digest fingerprint;

    public FolderSource(string path)
        : this(path, TrainFolder(path))
    {
    }

    private FolderSource(string path, string train)
        : base(System.IO.Path.GetFileName(path.TrimEnd('/')), path, ClassesOf(train))
    {
        Train = [.. Classes.SelectMany((c, i) => List(path, System.IO.Path.Combine(train, c), i))];
        string? test = TestFolders.Select(t => System.IO.Path.Combine(path, t)).FirstOrDefault(Directory.Exists);
        if (test is not null && train != path)
            Test = [.. Classes.SelectMany((c, i) => List(path, System.IO.Path.Combine(test, c), i))];
        fingerprint = Digest.Of(string.Join('\n', Train.Concat(Test).Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Name} {e.Offset}"))));
    }

    /// <summary>Of names and sizes, not of content: listing 1.3 million files must not read them.</summary>
    public override Digest Fingerprint => fingerprint;

    private static string TrainFolder(string path)
    {
        if (!Directory.Exists(path))
            throw new DataException($"{path} is not a folder; name an ImageFolder with --data (train/CLASS/*.jpg and test/CLASS/*.jpg)");
        string train = System.IO.Path.Combine(path, "train");
        return Directory.Exists(train) ? train : path;
    }

    private static ValueList<string> ClassesOf(string train)
    {
        ValueList<string> classes = Directory.EnumerateDirectories(train).Select(d => System.IO.Path.GetFileName(d)).Order(StringComparer.Ordinal).ToValueList();
        return classes.Count >= 2 ? classes : throw new DataException($"{train} holds {classes.Count} class folders; a data set has two or more, each with its pictures");
    }

    private static IEnumerable<ImageEntry> List(string root, string folder, int c)
    {
        if (!Directory.Exists(folder))
            throw new DataException($"{folder} is missing; every class of the training split stands in the test split too");
        ImageEntry[] entries = [.. new DirectoryInfo(folder).EnumerateFiles()
            .Where(f => Extensions.Contains(f.Extension, StringComparer.OrdinalIgnoreCase))
            .OrderBy(f => f.Name, StringComparer.Ordinal)
            .Select(f => new ImageEntry(c, System.IO.Path.GetRelativePath(root, f.FullName), f.Length))];
        return entries.Length > 0 ? entries : throw new DataException($"{folder} holds no picture (.jpg, .jpeg, .png); fill the class or remove its folder");
    }
}

/// <summary>A list of files, one a line: <c>split TAB class TAB path</c>, split is train or test; paths are relative to the list.</summary>
public sealed class CatalogueSource : FileBackedSource
{
    private readonly Digest fingerprint;

    public CatalogueSource(string file)
        : this(file, Read(file))
    {
    }

    private CatalogueSource(string file, (List<ImageEntry> Train, List<ImageEntry> Test, ValueList<string> Classes, Digest Fingerprint) list)
        : base(System.IO.Path.GetFileNameWithoutExtension(file), System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!, list.Classes)
    {
        Train = list.Train;
        Test = list.Test;
        fingerprint = list.Fingerprint;
    }

    public override Digest Fingerprint => fingerprint;

    private static (List<ImageEntry> Train, List<ImageEntry> Test, ValueList<string> Classes, Digest Fingerprint) Read(string file)
    {
        if (!File.Exists(file))
            throw new DataException($"{file} is missing; a catalogue is a text file with lines 'split TAB class TAB path'");
        Dictionary<string, int> classes = new(StringComparer.Ordinal);
        List<ImageEntry> train = [];
        List<ImageEntry> test = [];
        int line = 0;
        foreach (string text in File.ReadLines(file))
        {
            line++;
            string[] parts = text.Split('\t');
            if (parts.Length != 3 || parts[0] is not ("train" or "test"))
                throw new DataException($"{file}:{line}: expected 'train' or 'test', a class and a path with tabs between, found '{(text.Length > 60 ? text[..60] : text)}'");
            if (!classes.TryGetValue(parts[1], out int c))
                classes[parts[1]] = c = classes.Count;
            (parts[0] == "train" ? train : test).Add(new ImageEntry(c, parts[2], 0));
        }

        if (classes.Count < 2)
            throw new DataException($"{file} names {classes.Count} classes; a data set has two or more");
        using FileStream stream = File.OpenRead(file);
        return (train, test, classes.Keys.ToValueList(), new Digest(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream))));
    }
}
