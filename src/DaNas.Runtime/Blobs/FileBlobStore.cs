using System.Runtime.InteropServices;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Runtime.Blobs;

/// <summary>
/// Blobs as files named by their SHA-256: <c>ab/abcdef...</c>. A put writes aside, flushes, renames and flushes the folder, so a name is
/// either absent or whole; an existing name is hashed again before it is trusted.
/// </summary>
public sealed partial class FileBlobStore : IBlobStore
{
    private const int OpenReadOnly = 0;

    private readonly string root;

    public FileBlobStore(string root)
    {
        this.root = root;
        Directory.CreateDirectory(root);
    }

    public BlobRef Put(ReadOnlySpan<byte> bytes)
    {
        BlobRef blob = new(Digest.Of(bytes), bytes.Length);
        string path = PathOf(blob);
        if (File.Exists(path) && IsWhole(path, blob))
            return blob;
        string folder = Path.GetDirectoryName(path)!;
        string aside = Path.Combine(folder, $".{blob.Digest.Short}.{Environment.ProcessId}.part");
        try
        {
            Directory.CreateDirectory(folder);
            using (FileStream file = new(aside, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(bytes);
                file.Flush(true);
            }

            FaultPoints.Passed?.Invoke(FaultPoints.BlobBefore);
            File.Move(aside, path, true);
            FlushFolder(folder);
            FaultPoints.Passed?.Invoke(FaultPoints.BlobAfter);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(aside);
            throw new BlobException(BlobFault.Unavailable, null,
                $"{path}: the blob cannot be written ({e.Message}); free some space or check the permissions of the folder, and the " +
                    $"search will continue", e);
        }

        return blob;
    }

    public byte[] Get(BlobRef blob)
    {
        string path = PathOf(blob);
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BlobException(BlobFault.Lost, blob, $"{path}: the blob is missing or unreadable", e);
        }

        return Digest.Of(bytes) == blob.Digest
            ? bytes
            : throw new BlobException(BlobFault.Lost, blob, $"{path}: the blob is damaged (its SHA-256 does not match its name)");
    }

    /// <summary>Where a blob that is being fetched grows; what is there of it survives a restart.</summary>
    internal string PartOf(BlobRef blob) => Path.Combine(Path.GetDirectoryName(PathOf(blob))!, $".{blob.Digest.Short}.fetched.part");

    /// <summary>A fetched file becomes the blob if it is what the name says; otherwise it is removed.</summary>
    internal bool Adopt(string part, BlobRef blob)
    {
        using (FileStream file = new(part, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            if (file.Length != blob.SizeBytes || new Digest(
                Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file))) != blob.Digest)
            {
                file.Close();
                TryDelete(part);
                return false;
            }

            file.Flush(true);
        }

        File.Move(part, PathOf(blob), true);
        FlushFolder(Path.GetDirectoryName(PathOf(blob))!);
        return true;
    }

    /// <summary>Removes what a killed writer left half written; nobody else may be writing.</summary>
    public void RemoveUnfinished()
    {
        foreach (string part in Directory.EnumerateFiles(root, ".*.part",
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
            TryDelete(part);
    }

    /// <summary>All blobs by name, with their sizes in bytes.</summary>
    public IEnumerable<BlobRef> All() => Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
        .Where(f => Digest.IsDigest(Path.GetFileName(f))).Select(f => new BlobRef(new Digest(Path.GetFileName(f)), new FileInfo(f).Length));

    /// <summary>
    /// Removes blobs and unfinished transfers that are not to be kept and were last written before a moment; returns how many.
    /// </summary>
    public int RemoveOld(IReadOnlySet<Digest> keep, DateTime writtenBeforeUtc)
    {
        int removed = 0;
        foreach (string file in Directory.EnumerateFiles(root, "*",
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        {
            string name = Path.GetFileName(file);
            bool ours = Digest.IsDigest(name) ? !keep.Contains(new Digest(name)) : name.StartsWith('.')
                && name.EndsWith(".part", StringComparison.Ordinal);
            if (!ours || File.GetLastWriteTimeUtc(file) >= writtenBeforeUtc)
                continue;
            TryDelete(file);
            removed++;
        }

        return removed;
    }

    public bool Contains(BlobRef blob) => File.Exists(PathOf(blob));

    public void Delete(BlobRef blob) => TryDelete(PathOf(blob));

    private static bool IsWhole(string path, BlobRef blob)
    {
        try
        {
            return Digest.Of(File.ReadAllBytes(path)) == blob.Digest;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing to delete.
        }
    }

    /// <summary>Flushes a folder's entries, which .NET has no call for; a file system that cannot is not an error.</summary>
    private static void FlushFolder(string folder)
    {
        int descriptor = open(folder, OpenReadOnly);
        if (descriptor < 0)
            return;
        _ = fsync(descriptor);
        _ = close(descriptor);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int close(int descriptor);

    private string PathOf(BlobRef blob)
    {
        if (!Digest.IsDigest(blob.Digest.Hex))
            throw new DataException($"'{blob.Digest.Hex}' is not the name of a blob");
        return Path.Combine(root, blob.Digest.Hex[..2], blob.Digest.Hex);
    }
}
