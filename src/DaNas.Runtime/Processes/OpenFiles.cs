using System.Globalization;

namespace DaNas.Runtime.Processes;

/// <summary>How many files this process may open: under a bound .NET ends without a word that helps.</summary>
internal static class OpenFiles
{
    /// <summary>A search with two trainers ends with 256 and dies with 200 (measured).</summary>
    private const int Needed = 256;

    /// <summary>What to say where it is too few; null where it is enough, or cannot be told.</summary>
    public static string? TooFew()
    {
        try
        {
            string? line = File.ReadLines("/proc/self/limits")
                .FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal));
            string soft = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3] ?? string.Empty;
            return int.TryParse(soft, CultureInfo.InvariantCulture, out int allowed) && allowed < Needed
                ? Invariant($"this process can open {allowed} files but needs {Needed}: raise the hard limit with 'ulimit -n 4096' as " +
                    $"root, in limits.conf, with LimitNOFILE= in a systemd unit, or with --ulimit nofile=4096 for a container")
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
