using DaNas.Domain.Configuration;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;

namespace DaNas.Drills;

/// <summary>Where a drill runs: a folder that goes when it succeeds, PostgreSQL, and for some a cluster.</summary>
internal static class DrillHost
{
    public static T OnScene<T>(DrillRun drill, string journal, int trainers, SearchConfig config, Func<DrillScene, Task<T>> run)
    {
        return RunAsync().GetAwaiter().GetResult();

        async Task<T> RunAsync()
        {
            await using DrillScene scene = await DrillScene.SetAsync(drill, journal, trainers, config);
            return await run(scene);
        }
    }

    /// <summary>The PostgreSQL of a drill; the searches that it compares with keep their journals in their folders.</summary>
    public static string Journal()
    {
        string journal = Environment.GetEnvironmentVariable("DANAS_JOURNAL") is { Length: > 0 } named ? named : throw new UsageException(
            "a cluster needs PostgreSQL: eval \"$(./scripts/postgres.sh start)\", or run this drill with scripts/drill.sh");
        Environment.SetEnvironmentVariable("DANAS_JOURNAL", null);
        return journal;
    }

    public static int InTemporaryFolder(string configuration, IReadOnlyList<string> sets, Func<DrillRun, int> body)
    {
        if (!OperatingSystem.IsLinux())
            throw new UsageException(Invariant($"drills need Linux: they read /proc and send signals"));
        string folder = Directory.CreateTempSubdirectory("danas-drill-").FullName;
        int code = body(new DrillRun(folder, configuration, sets));
        if (code == ExitCode.Done)
            Directory.Delete(folder, true);
        else
            Console.WriteLine($"the files of the failed drill are in {folder}");
        return code;
    }
}
