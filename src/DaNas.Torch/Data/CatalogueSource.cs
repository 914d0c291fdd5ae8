using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>A list of files, one a line: <c>split TAB class TAB path</c>, split is train or test; paths are relative to the list.</summary>
public sealed class CatalogueSource : FileBackedSource
{
    private readonly Digest fingerprint;

    public CatalogueSource(string file)
        : this(file, Read(file))
    {
    }

    private CatalogueSource(string file, Listing list)
        : base(System.IO.Path.GetFileNameWithoutExtension(file),
            System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!, list.Classes)
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
            throw new DataException($"{file} is an archive: unpack it first ({DatasetArchive.Command(file)}) and name " +
                $"its folder with --data");
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
                throw new DataException($"{file}:{line}: expected 'train' or 'test', a class and a path separated by tabs" +
                    $"{(text.Contains(',', StringComparison.Ordinal) ? " (commas and quotes are part of a name)" : string.Empty)}, " +
                    $"found '{(text.Length > 60 ? text[..60] : text)}'");
            if (!classes.TryGetValue(parts[1], out int c))
                classes[parts[1]] = c = classes.Count;
            repeats.Add(parts[2], parts[0] == "test", c, parts[1]);
            (parts[0] == "train" ? train : test).Add(new ImageEntry(c, parts[2], 0));
        }

        if (classes.Count < 2)
            throw new DataException($"{file} lists {classes.Count} classes; a data set needs two or more");
        using FileStream stream = File.OpenRead(file);
        return new(train, test, classes.Keys.ToValueList(), new Digest(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream))), repeats.Remarks);
    }

    private sealed record Listing(List<ImageEntry> Train, List<ImageEntry> Test, ValueList<string> Classes, Digest Fingerprint,
        IReadOnlyList<string> Remarks);

    /// <summary>
    /// Files that a catalogue names more than once: an image in both splits makes the test's accuracy too good, one in two classes is wrong
    /// in one of them.
    /// </summary>
    private sealed class Repeats
    {
        private readonly Dictionary<string, (bool Test, int Class)> first = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, (int Count, string Example)> found = new(StringComparer.Ordinal);

        public IReadOnlyList<string> Remarks =>
            [.. found.Select(f => Invariant($"{f.Key}: {f.Value.Count:N0}, such as {f.Value.Example}"))];

        public void Add(string path, bool test, int @class, string name)
        {
            if (first.TryAdd(path, (test, @class)))
                return;
            (bool before, int other) = first[path];
            string what = test != before ? "images are listed in both the training and the test split" : @class != other
                ? "images are listed under two classes" : "images are listed twice";
            found[what] = (found.GetValueOrDefault(what).Count + 1, found.GetValueOrDefault(what).Example
                ?? (@class != other ? $"{path} (also as '{name}')" : path));
        }
    }
}
