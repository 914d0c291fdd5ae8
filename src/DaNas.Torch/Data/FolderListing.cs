using System.IO.Enumeration;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// The images of an ImageFolder, as torchvision lists them: those of a class may lie at any depth below its folder. Whatever looks like a
/// part of the data set and is not read is a remark.
/// </summary>
internal sealed class FolderListing
{
    /// <summary>Endings of what SkiaSharp decodes; of an animated GIF the first frame.</summary>
    public static readonly string[] Endings = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif"];

    /// <summary>Folders of the test split, the first that has images by class.</summary>
    private static readonly string[] TestNames = ["test", "testing", "val", "valid", "validation"];
    private static readonly string[] TrainNames = ["train", "training"];
    private static readonly string[] Junk = ["__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini"];

    /// <summary>The validation labels of tiny-imagenet: lines 'file TAB class TAB box'.</summary>
    private const string Annotations = "val_annotations.txt";

    private readonly string root;
    private readonly SortedDictionary<string, (int Count, string Example)> unread = new(StringComparer.Ordinal);
    private readonly List<string> remarks = [];

    public FolderListing(string path)
    {
        root = path;
        if (!Directory.Exists(path))
            throw new DataException($"{path} is not a folder; specify an ImageFolder with --data (train/CLASS/*.jpg and test/CLASS/*.jpg)");
        try
        {
            (Classes, Train, Test) = List(path);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new DataException($"{path} cannot be listed: {e.Message}", e);
        }

        foreach ((string what, (int count, string example)) in unread)
            remarks.Add(Invariant($"{what}: {count:N0}, such as {example}"));
    }

    private (ValueList<string> Classes, IReadOnlyList<ImageEntry> Train, IReadOnlyList<ImageEntry> Test) List(string path)
    {
        string[] folders = Folders(path);
        string? train = folders.FirstOrDefault(f => Is(f, TrainNames) && IsSplit(f));
        if (train is null && folders.Length > 0 && folders.All(f => Is(f, TrainNames) || Is(f, TestNames)))
            throw new DataException($"{folders[0]} has no class folders; a split has two or more, each with its images{Hint(folders[0])}");
        foreach (string named in folders.Where(f => train is null && (Is(f, TrainNames) || Is(f, TestNames))))
            remarks.Add($"{named}/ is treated as a class because it contains images and no class folders");
        ValueList<string> classes = Folders(train ?? path).Select(Name).Order(StringComparer.Ordinal).ToValueList();
        if (classes.Count < 2)
            throw new DataException($"{train ?? path} contains {classes.Count} class folders; a data set needs two or more, each with " +
                $"its images{Hint(path)}");
        ImageEntry[] all = [.. classes.SelectMany((c, i) => Filled(System.IO.Path.Combine(train ?? path, c), i))];
        Count(path);
        if (train is null)
            return (classes, all, []);
        Count(train);
        return (classes, all, [.. TestOf(folders, train, classes)]);
    }

    public ValueList<string> Classes { get; }

    public IReadOnlyList<ImageEntry> Train { get; }

    public IReadOnlyList<ImageEntry> Test { get; }

    /// <summary>What is left out, and why.</summary>
    public IReadOnlyList<string> Remarks => remarks;

    private static string Name(string path) => System.IO.Path.GetFileName(path);

    private static bool Is(string folder, string[] names) => names.Contains(Name(folder), StringComparer.OrdinalIgnoreCase);

    private static bool IsHidden(ReadOnlySpan<char> name)
    {
        if (name.StartsWith("."))
            return true;
        foreach (string junk in Junk)
        {
            if (name.Equals(junk, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool IsImage(ReadOnlySpan<char> name)
    {
        foreach (string ending in Endings)
        {
            if (name.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static string[] Folders(string path) => [.. Directory.EnumerateDirectories(path).Where(f => !IsHidden(Name(f)))
        .Order(StringComparer.Ordinal)];

    /// <summary>
    /// A split holds class folders; a folder of that name with images directly in it and one folder at most is a class among others.
    /// </summary>
    private static bool IsSplit(string folder) => Folders(folder).Length is var inner
        && (inner > 1 || (inner == 1 && !Directory.EnumerateFiles(folder).Any(f => IsImage(f))));

    private static string Hint(string path)
    {
        string[] files = [.. Directory.EnumerateFiles(path).Select(Name)];
        if (files.FirstOrDefault(f => f.Contains("idx3", StringComparison.OrdinalIgnoreCase)
            || f.Contains("idx1", StringComparison.OrdinalIgnoreCase)) is { } idx)
            return $"; {idx} looks like an IDX file: rename the four files to train-images-idx3-ubyte, train-labels-idx1-ubyte, " +
                $"t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte";
        if (files.Any(f => f is "data_batch_1" or "test_batch") || files.Contains("meta"))
            return "; data_batch_1, train and meta are CIFAR files as pickled Python objects: use the binary version " +
                "('danas data fetch cifar-10')";
        if (files.FirstOrDefault(DatasetArchive.Is) is { } archive)
            return $"; {archive} is an archive: unpack it first ({DatasetArchive.Command(archive)})";
        return files.Any(f => IsImage(f)) ? "; images in one folder need one subfolder per class, or a catalogue file 'split " +
            "TAB class TAB path'" : string.Empty;
    }

    private IReadOnlyList<ImageEntry> TestOf(string[] folders, string train, ValueList<string> classes)
    {
        string[] splits = [.. TestNames.SelectMany(n => folders.Where(f => Is(f, [n])))];
        string? test = splits.FirstOrDefault(f => File.Exists(System.IO.Path.Combine(f, Annotations))
            || Folders(f).Any(c => classes.Contains(Name(c))));
        foreach (string other in folders.Where(f => f != train && f != test))
        {
            string why = test is null ? "it has no folder for a class of the training split" : $"{Name(test)}/ is the test split";
            remarks.Add(splits.Contains(other) ? $"{other}/ is ignored: {why}; validation images are split off {Name(train)}/ " +
                $"(data.validation-fraction)" : $"{other}/ is ignored because it is not a split");
        }

        return test is null ? [] : Folders(test).Any(c => classes.Contains(Name(c))) ? ByClass(test, classes) : Annotated(test, classes);
    }

    private List<ImageEntry> ByClass(string test, ValueList<string> classes)
    {
        foreach (string folder in Folders(test).Where(f => !classes.Contains(Name(f))))
            remarks.Add($"{folder}/ is ignored because the training split has no class '{Name(folder)}'");
        Count(test);
        return [.. classes.SelectMany((c, i) => Filled(System.IO.Path.Combine(test, c), i))];
    }

    private List<ImageEntry> Annotated(string test, ValueList<string> names)
    {
        string file = System.IO.Path.Combine(test, Annotations);
        Dictionary<string, int> classes = names.Select((c, i) => (c, i)).ToDictionary(c => c.c, c => c.i, StringComparer.Ordinal);
        Dictionary<string, ImageEntry> there = new(StringComparer.Ordinal);
        foreach (ImageEntry entry in Images(test, 0))
        {
            if (!there.TryAdd(Name(entry.Name), entry))
                throw new DataException($"{file} identifies images by file name alone, but {entry.Name} and " +
                    $"{there[Name(entry.Name)].Name} have the same file name; remove one of them");
        }

        List<ImageEntry> entries = [];
        int line = 0;
        foreach (string text in File.ReadLines(file))
        {
            line++;
            string[] parts = text.Split('\t');
            if (text.Length == 0)
                continue;
            if (parts.Length < 2 || !classes.TryGetValue(parts[1], out int c))
                throw new DataException($"{file}:{line}: expected an image's name, a class of the training split and more with tabs " +
                    $"between, found '{(text.Length > 60 ? text[..60] : text)}'");
            entries.Add(there.Remove(parts[0], out ImageEntry entry)
                ? entry with { Class = c } : throw new DataException($"{file}:{line}: {parts[0]} is missing, or is named twice"));
        }

        foreach (ImageEntry without in there.Values)
            Unread($"images are ignored because {Annotations} does not list them", without.Name);
        entries.Sort((a, b) => a.Class != b.Class ? a.Class.CompareTo(b.Class) : string.CompareOrdinal(a.Name, b.Name));
        return entries;
    }

    private IEnumerable<ImageEntry> Filled(string folder, int c)
    {
        if (!Directory.Exists(folder))
            throw new DataException($"{folder} is missing; every class of the training split must also be in the test split");
        ImageEntry[] entries = [.. Images(folder, c).OrderBy(e => e.Name, StringComparer.Ordinal)];
        return entries.Length > 0 ? entries : throw new DataException($"{folder} contains no images ({string.Join(", ", Endings)})" +
            $"{(Directory.EnumerateFiles(folder).FirstOrDefault() is { } other ? $", but {Name(other)}" : string.Empty)}; fill the class " +
            $"or remove its folder");
    }

    private IEnumerable<ImageEntry> Images(string folder, int c)
    {
        // A link to a folder is not followed: it may lead back, or into another class.
        FileSystemEnumerable<(string Path, long Length, bool IsImage, bool IsLink)> all = new(
            folder, (ref FileSystemEntry e) => (System.IO.Path.GetRelativePath(root, e.ToFullPath()), e.IsDirectory
                ? 0 : e.Length, !e.IsDirectory && !IsHidden(e.FileName) && IsImage(e.FileName), e.IsDirectory && !IsHidden(e.FileName)),
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false })
        {
            ShouldRecursePredicate = (ref FileSystemEntry e) => !IsHidden(e.FileName) && (e.Attributes & FileAttributes.ReparsePoint) == 0,
            ShouldIncludePredicate = (ref FileSystemEntry e) => e.IsDirectory
                ? IsHidden(e.FileName) || (e.Attributes & FileAttributes.ReparsePoint) != 0 : !e.FileName.SequenceEqual(Annotations),
        };
        foreach ((string path, long length, bool isImage, bool isLink) in all)
        {
            if (isImage)
                yield return new ImageEntry(c, path, length);
            else if (isLink)
                Unread("links to folders below a class are not followed", path);
            else
                Unread(path);
        }
    }

    /// <summary>What lies beside the class folders.</summary>
    private void Count(string split)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries(split).Order(StringComparer.Ordinal))
        {
            string relative = System.IO.Path.GetRelativePath(root, entry);
            if (IsHidden(Name(entry)))
                Unread(relative);
            else if (File.Exists(entry) && IsImage(entry))
                Unread("images are ignored because they are not in a class folder", relative);
        }
    }

    private static string Ending(string path) =>
        System.IO.Path.GetExtension(path) is { Length: > 0 } ending ? ending.ToLowerInvariant() : "a name without an extension";

    private void Unread(string path) => Unread(
        IsHidden(Name(path)) ? "hidden files and folders are ignored"
            : $"files are ignored because {Ending(path)} is not a supported image format (jpg, png, webp, bmp, gif)",
        path);

    private void Unread(string why, string example) => unread[why] = unread.TryGetValue(why, out (int Count, string Example) known)
        ? (known.Count + 1, string.CompareOrdinal(known.Example, example) < 0 ? known.Example : example) : (1, example);
}

/// <summary>Archives that data sets are handed out in.</summary>
internal static class DatasetArchive
{
    public static bool Is(string file) => ((string[])[".tar", ".tar.gz", ".tgz", ".tar.xz", ".zip"])
        .Any(e => file.EndsWith(e, StringComparison.OrdinalIgnoreCase));

    public static string Command(string file) => file.EndsWith(".zip", StringComparison.OrdinalIgnoreCase)
        ? $"unzip {file}" : $"tar xf {file}";
}
