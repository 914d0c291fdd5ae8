using System.Globalization;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;

namespace DaNas.Runtime.Searches;

/// <summary>
/// One owner of a search on this machine: a locked file for the life of the process, and a heartbeat file whose age tells what a fault
/// cost. The journal's epoch is what really keeps a second writer out; this gives the user the reason before anything starts.
/// </summary>
internal sealed class OwnerLock : IDisposable
{
    private static readonly TimeSpan BeatEvery = TimeSpan.FromMilliseconds(250);

    private readonly FileStream file;
    private readonly string heartbeat;
    private readonly Timer timer;

    private OwnerLock(FileStream file, string heartbeat)
    {
        this.file = file;
        this.heartbeat = heartbeat;
        PreviousBeat = File.Exists(heartbeat) ? File.GetLastWriteTimeUtc(heartbeat) : null;
        File.WriteAllText(heartbeat, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        timer = new Timer(_ => Beat(), null, BeatEvery, BeatEvery);
    }

    /// <summary>When the owner before was last alive; null for the first.</summary>
    public DateTimeOffset? PreviousBeat { get; }

    /// <summary>Takes the search, or says who has it and what to do.</summary>
    public static OwnerLock Take(OutputFolder folder, string id, bool takeover)
    {
        string directory = folder.SearchFolder(id);
        Directory.CreateDirectory(directory);
        string heartbeat = Path.Combine(directory, "owner.pid");
        try
        {
            return new OwnerLock(Opened(Path.Combine(directory, "owner.lock")), heartbeat);
        }
        catch (IOException)
        {
            string pid = File.Exists(heartbeat) ? File.ReadAllText(heartbeat).Trim() : "?";
            if (takeover && IsStopped(pid))
                return new OwnerLock(new FileStream(Path.Combine(directory, $"owner-{Environment.ProcessId}.lock"), FileMode.Create,
                    FileAccess.ReadWrite, FileShare.None), heartbeat);
            throw new UsageException(IsStopped(pid)
                ? $"search {id} belongs to process {pid}, which is suspended; 'kill -CONT {pid}' resumes the process, 'kill -9 {pid}' " +
                    $"ends it, and '{ThisProgram.Name} resume {id} --takeover' takes the search over from it"
                : $"search {id} is running in process {pid}; watch it with '{ThisProgram.Name} watch {id}{folder.Option}', or " +
                    $"end that process first");
        }
    }

    /// <summary>Alone; who only looks whether it is held, holds it for a moment.</summary>
    private static FileStream Opened(string file)
    {
        FileStream? opened = null;
        SpinWait.SpinUntil(() => TryOpen(file, ref opened), TimeSpan.FromMilliseconds(60));
        return opened ?? new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    private static bool TryOpen(string file, ref FileStream? opened)
    {
        try
        {
            opened = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Whether a process on this machine has ever had the search.</summary>
    public static bool Known(OutputFolder folder, string id) =>
        Domain.Searches.SearchNames.AreProper(id) && File.Exists(Path.Combine(folder.SearchFolder(id), "owner.pid"));

    /// <summary>Whether a process has the search now.</summary>
    public static bool IsHeld(OutputFolder folder, string id)
    {
        string file = Path.Combine(folder.SearchFolder(id), "owner.lock");
        try
        {
            using FileStream? probe = File.Exists(file) ? new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read) : null;
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    public void Dispose()
    {
        timer.Dispose();
        file.Dispose();
    }

    private static bool IsStopped(string pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void Beat()
    {
        try
        {
            File.SetLastWriteTimeUtc(heartbeat, DateTime.UtcNow);
        }
        catch (IOException)
        {
            // The journal reports a disk in trouble; the beat only measures loss.
        }
    }
}
