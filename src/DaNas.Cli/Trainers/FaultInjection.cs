using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using DaNas.Ports;

namespace DaNas.Cli.Trainers;

/// <summary>
/// What tests and drills ask for by environment variables; without them nothing is installed.
/// <c>DANAS_FAULT_POINT=event-after:7</c>: SIGKILL to this process (from a trainer: to its parent first) when that place is passed for the
/// seventh time. <c>DANAS_FAULT_BLOCK=L03/k5e6:abort</c> (or nan, hang): what that candidate block does in a forward pass.
/// </summary>
internal static partial class FaultInjection
{
    private const int SigKill = 9;

    public static void Install(bool trainer)
    {
        if (Environment.GetEnvironmentVariable("DANAS_FAULT_POINT")?.Split(':') is [string site, string count])
            InstallPoint(site, int.Parse(count, CultureInfo.InvariantCulture), trainer);
        if (trainer && Environment.GetEnvironmentVariable("DANAS_FAULT_BLOCK")?.Split('/', ':') is [string layer, string block, string action])
            InstallBlock(int.Parse(layer.AsSpan(1), CultureInfo.InvariantCulture), block, action);
    }

    private static void InstallPoint(string site, int count, bool trainer)
    {
        int passed = 0;
        FaultPoints.Passed = name =>
        {
            if (name != site || Interlocked.Increment(ref passed) != count)
                return;
            if (trainer)
                _ = kill(getppid(), SigKill);
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
