using System.Globalization;
using System.Runtime.InteropServices;
using DaNas.Domain.Ports;

namespace DaNas.Runtime.Trainers;

/// <summary>
/// What tests and drills ask for by environment variables; without them nothing is installed.
/// <c>DANAS_FAULT_POINT=event-after:7,blob-before:1</c>: SIGKILL to this process (from a trainer: to its parent first) when one of these
/// places is passed that many times; its name is written to <c>DANAS_FAULT_FILE</c>. <c>DANAS_FAULT_BLOCK=L03/k5e6:abort</c> (or nan,
/// hang): what that candidate block does in a forward pass.
/// </summary>
internal static partial class FaultInjection
{
    private const int SigKill = 9;

    public static void Install(bool trainer)
    {
        if (Environment.GetEnvironmentVariable("DANAS_FAULT_POINT") is { Length: > 0 } points)
            InstallPoints(points.Split(',').Select(p => p.Split(':'))
                .ToDictionary(p => p[0], p => int.Parse(p[1], CultureInfo.InvariantCulture), StringComparer.Ordinal), trainer);
        if (trainer && Environment.GetEnvironmentVariable("DANAS_FAULT_BLOCK")
            ?.Split('/', ':') is [string layer, string block, string action])
            InstallBlock(int.Parse(layer.AsSpan(1), CultureInfo.InvariantCulture), block, action);
    }

    private static void InstallPoints(Dictionary<string, int> points, bool trainer)
    {
        int parent = getppid();
        string? file = Environment.GetEnvironmentVariable("DANAS_FAULT_FILE");
        Lock gate = new();
        FaultPoints.Passed = name =>
        {
            lock (gate)
            {
                if (!points.TryGetValue(name, out int left) || (points[name] = left - 1) != 0)
                    return;
            }

            if (file is not null)
                File.WriteAllText(file, name);
            if (trainer && getppid() == parent)
                _ = kill(parent, SigKill);
            _ = kill(Environment.ProcessId, SigKill);
            using ManualResetEventSlim never = new();
            never.Wait();
        };
    }

    private static void InstallBlock(int layer, string block, string action) => FaultPoints.BlockEntered = (l, b) =>
    {
        if (l != layer || b != block)
            return false;
        if (action == "abort")
            abort();
        if (action != "hang")
            return true;
        using ManualResetEventSlim never = new();
        never.Wait();
        return false;
    };

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int kill(int process, int signal);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int getppid();

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void abort();
}
