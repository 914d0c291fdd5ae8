using System.Diagnostics;
using System.Text.Json;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace DaNas.EndToEnd.Tests;

/// <summary>The built executable, run as a user runs it, with an output folder of its own.</summary>
public sealed class Danas : IDisposable
{
    /// <summary>A whole search of a few seconds: 6 drawn classes of 12 x 12, units of well under a second, two trainers.</summary>
    public static readonly string[] Tiny = ["drill"];

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public string Folder { get; } = Directory.CreateTempSubdirectory("danas-e2e-").FullName;

    /// <summary>The folder that the next process is started in; its own folder where none is named.</summary>
    public string? StartedIn { get; set; }

    internal static string Executable => Path.Combine(AppContext.BaseDirectory, "danas");

    public void Dispose()
    {
        try
        {
            Directory.Delete(Folder, true);
        }
        catch (IOException)
        {
            // A killed trainer may still hold a file for a moment; the folder is a temporary one.
        }
    }

    public Process Start(params string[] arguments) => Start([], arguments);

    /// <summary>Starts the executable with more environment variables, as "NAME=value".</summary>
    public Process Start(string[] environment, string[] arguments)
    {
        ProcessStartInfo info = new(Executable)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = StartedIn ?? Folder
        };
        foreach (string a in arguments)
            info.ArgumentList.Add(a);
        info.Environment["DANAS_OUT"] = Path.Combine(Folder, "out");
        foreach (string variable in environment)
            info.Environment[variable[..variable.IndexOf('=', StringComparison.Ordinal)]] =
                variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..];
        return Process.Start(info)!;
    }

    public (int Code, string Output, string Error) Run(params string[] arguments) => Run([], arguments);

    public (int Code, string Output, string Error) Run(string[] environment, string[] arguments)
    {
        using Process process = Start(environment, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(arguments[0] == "drill" ? 4 * Patience : Patience))
        {
            process.Kill(true);
            throw new TimeoutException($"danas {string.Join(' ', arguments)} did not end");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    /// <summary>The last line as JSON.</summary>
    public static JsonElement LastLine(string output) => JsonDocument.Parse(output.TrimEnd().Split('\n')[^1]).RootElement.Clone();

    /// <summary>The tiny search run to its end without faults, once for all tests; each gets a copy.</summary>
    private static readonly Lazy<(string Folder, JsonElement End)> Once = new(() =>
    {
        Danas danas = new();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => danas.Dispose();
        return (danas.Folder, danas.RunClean());
    });

    /// <summary>How the tiny search ends without faults.</summary>
    public static JsonElement CleanEnd => Once.Value.End;

    /// <summary>The tiny search, ended without faults, as "clean" in this folder; its report.</summary>
    public JsonElement Clean(params string[] more)
    {
        if (more.Length > 0)
            return RunClean(more);
        string from = Path.Combine(Once.Value.Folder, "out"), to = Path.Combine(Folder, "out");
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return LastLine(Run("describe", "clean", "--json").Output);
    }

    private JsonElement RunClean(params string[] more)
    {
        (int code, string text, string error) = Run(["run", .. Tiny, .. more, "--id", "clean", "--json"]);
        code.ShouldBe(0, error);
        return LastLine(text);
    }

    /// <summary>The number of stored events that the log tells of.</summary>
    public int Stored(string id, string text = "\"id\":101,", string? output = null)
    {
        string file = Path.Combine(output ?? Path.Combine(Folder, "out"), "searches", id, "log.jsonl");
        if (!File.Exists(file))
            return 0;
        using StreamReader reader = new(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n').Count(l => l.Contains(text, StringComparison.Ordinal));
    }

    /// <summary>Units that were run to their end more than once, since their result had not been stored.</summary>
    public int UnitsDoneAgain(string id)
    {
        string[] done = [.. File.ReadLines(Path.Combine(Folder, "out", "searches", id, "log.jsonl"))
            .Where(l => l.Contains("\"id\":402,", StringComparison.Ordinal))
            .Select(l => JsonDocument.Parse(l).RootElement.GetProperty("unit").GetString()!)];
        return done.Length - done.Distinct().Count();
    }

    /// <summary>Waits until the log has so many lines with a text, or the process has ended.</summary>
    public void WaitFor(string id, string text, int count, Process process, string? output = null)
    {
        Stopwatch patience = Stopwatch.StartNew();
        while (Stored(id, text, output) < count && !process.HasExited && patience.Elapsed < Patience)
            process.WaitForExit(50);
    }

    /// <summary>The ids of a process's children.</summary>
    public static int[] Children(int parent) => [.. Process.GetProcesses().Where(p => ParentOf(p.Id) == parent).Select(p => p.Id).Order()];

    public static void SameOutcome(JsonElement result, JsonElement clean)
    {
        foreach (string field in new[] { "status", "decisionHash", "weightsHash", "supernetHash", "architectureId",
            "testAccuracy", "randomTestAccuracy" })
            result.GetProperty(field).ToString().ShouldBe(clean.GetProperty(field).ToString(), field);
    }

    /// <summary>A port of loopback that nobody listens on just now.</summary>
    public static int FreePort()
    {
        using System.Net.Sockets.TcpListener probe = new(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        return ((System.Net.IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static int ParentOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
        }
        catch (IOException)
        {
            return -1;
        }
    }

    /// <summary>All rows of a search's journal as text, in order.</summary>
    public string[] Events(string id)
    {
        (int code, string output, string error) = Run("events", id, "--json");
        code.ShouldBe(0, error);
        return output.TrimEnd().Split('\n');
    }
}
