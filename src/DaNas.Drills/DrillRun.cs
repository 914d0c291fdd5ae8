using System.Diagnostics;
using System.Globalization;
using DaNas.Domain.Searches;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>How a search ended, as far as a repetition must be equal.</summary>
internal sealed record DrillEnd(string DecisionHash, string WeightsHash, string Architecture, long Images)
{
    public static DrillEnd? Of(SearchRecord record) => record.State.Phase is SearchPhase.Completed done
        ? new(record.State.DecisionHash.Hex, done.WeightsHash.Hex, record.State.Selected!.Winner.Text, record.State.Cost.ForwardImages)
        : null;
}

/// <summary>This executable, run by a drill in processes of their own, over an output folder of the drill's.</summary>
internal sealed class DrillRun(string folder, string configuration, IReadOnlyList<string> sets)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    public OutputFolder Folder { get; } = new(folder);

    /// <summary>Runs a search to its end without faults; throws where even that fails.</summary>
    public DrillEnd Clean(string id)
    {
        using Process process = Begin(id, null);
        int code = WaitFor(process);
        return code == ExitCode.Done && DrillEnd.Of(Load(id)!) is { } end
            ? end : throw new InvalidDataException($"the fault-free search ended with exit code {code}; see {Folder.SearchFolder(id)}");
    }

    /// <summary>Starts a new search, or goes on with one that has begun.</summary>
    public Process Begin(string id, string? faultPoint)
    {
        bool known = SearchRecord.Ids(Folder).Contains(id);
        string[] arguments = known ? ["resume", id] : ["run", configuration, "--id", id, .. sets.SelectMany(s => (string[])["--set", s])];
        return ThisProgram.Launch([.. arguments, "--out", folder], faultPoint is null
            ? [] : [("DANAS_FAULT_POINT", faultPoint), ("DANAS_FAULT_FILE", ReachedFile)]);
    }

    /// <summary>Where a process that dies at a fault point writes which one.</summary>
    public string ReachedFile => Path.Combine(folder, "fault-point.txt");

    /// <summary>The exit code; a process that does not end is a defect that the drill reports.</summary>
    public static int WaitFor(Process process)
    {
        if (!process.WaitForExit(Patience))
        {
            process.Kill(true);
            throw new InvalidDataException($"process {process.Id} did not end within {Patience.TotalMinutes:0} min");
        }

        return process.ExitCode;
    }

    /// <summary>What the journal has of a search; null where it has not begun.</summary>
    public SearchRecord? Load(string id) => SearchRecord.Ids(Folder).Contains(id) ? SearchRecord.Load(Folder, id) : null;

    /// <summary>The events that a repetition has too: not those of taking over and of faults.</summary>
    public static int Counted(SearchRecord? record) => record?.Events
        .Count(e => e.Event is not (SearchEvent.SearchResumed or SearchEvent.AttemptFailed)) ?? 0;

    /// <summary>The processes that a search consists of: the coordinator first, then its trainers.</summary>
    public static IReadOnlyList<int> Tree(int coordinator)
    {
        List<int> children = [];
        foreach (string entry in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(entry), CultureInfo.InvariantCulture, out int pid) && ParentOf(pid) == coordinator)
                children.Add(pid);
        }

        return [coordinator, .. children.Order()];
    }

    private static int ParentOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return -1;
        }
    }
}
