using System.Globalization;
using System.Text;
using DaNas.Domain.Values;

namespace DaNas.Actors.Journals;

/// <summary>
/// Small files outside the journal that hold each search's head, flushed before an event is acknowledged: a journal whose end was cut
/// off, even at the boundary of an event, is noticed. Two slots are written in turn, each with its own checksum, so that a torn write
/// loses nothing.
/// </summary>
public sealed class HeadAnchors(Func<string, string> pathOf) : IDisposable
{
    private const int SlotBytes = 256;

    private readonly Dictionary<string, (FileStream File, int Slot)> open = new(StringComparer.Ordinal);

    /// <summary>
    /// The head of a persistence id, or null where none was ever written. Throws <see cref="InvalidDataException"/> where both slots are
    /// damaged.
    /// </summary>
    public Head? Read(string persistenceId)
    {
        string path = pathOf(persistenceId);
        if (!File.Exists(path))
            return null;
        byte[] bytes;
        using (FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            bytes = new byte[Math.Min(file.Length, 2 * SlotBytes)];
            file.ReadExactly(bytes);
        }

        Head[] heads = [.. bytes.Chunk(SlotBytes).Select(Parse).OfType<Head>().OrderByDescending(h => h.Sequence)];
        return heads.Length > 0 ? heads[0] : throw new InvalidDataException($"{path}: the head anchor is damaged");
    }

    /// <summary>Writes and flushes; returns when the head is on the disk.</summary>
    public void Write(string persistenceId, Head head)
    {
        if (!open.TryGetValue(persistenceId, out (FileStream File, int Slot) anchor))
        {
            string path = pathOf(persistenceId);
            if (!File.Exists(path))
                Create(path, head);
            FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
            anchor = (file, NewestSlot(file));
        }

        int slot = 1 - anchor.Slot;
        RandomAccess.Write(anchor.File.SafeFileHandle, Format(head), slot * SlotBytes);
        RandomAccess.FlushToDisk(anchor.File.SafeFileHandle);
        open[persistenceId] = (anchor.File, slot);
    }

    /// <summary>Forgets a head, after the user accepted that the journal's end is gone.</summary>
    public void Forget(string persistenceId)
    {
        if (open.Remove(persistenceId, out (FileStream File, int Slot) anchor))
            anchor.File.Dispose();
        File.Delete(pathOf(persistenceId));
    }

    public void Dispose()
    {
        foreach ((FileStream file, _) in open.Values)
            file.Dispose();
        open.Clear();
    }

    /// <summary>A head file appears whole or not at all.</summary>
    private static void Create(string path, Head head)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string aside = path + ".new";
        using (FileStream file = new(aside, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(Format(head));
            file.Write(new byte[SlotBytes]);
            file.Flush(true);
        }

        File.Move(aside, path, true);
    }

    private static int NewestSlot(FileStream file)
    {
        byte[] bytes = new byte[2 * SlotBytes];
        int read = RandomAccess.Read(file.SafeFileHandle, bytes, 0);
        long[] sequences = [.. bytes.Take(read).Chunk(SlotBytes).Select(s => Parse(s)?.Sequence ?? 0)];
        return sequences.Length > 1 && sequences[1] > sequences[0] ? 1 : 0;
    }

    private static byte[] Format(Head head)
    {
        string body = Invariant($"danas-head/1 {head.Sequence} {head.Chain}");
        return Encoding.ASCII.GetBytes($"{body} {Digest.Of(body).Hex}\n".PadRight(SlotBytes));
    }

    private static Head? Parse(byte[] slot)
    {
        string[] words = Encoding.ASCII.GetString(slot).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length >= 4 && words[0] == "danas-head/1" && long.TryParse(words[1], CultureInfo.InvariantCulture, out long sequence)
            && words[3].TrimEnd('\n') == Digest.Of($"{words[0]} {words[1]} {words[2]}").Hex ? new Head(sequence, words[2]) : null;
    }
}
