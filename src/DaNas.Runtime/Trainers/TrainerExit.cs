using System.Diagnostics;
using DaNas.Domain.Faults;

namespace DaNas.Runtime.Trainers;

/// <summary>How a trainer's process ended, and what that says of its unit.</summary>
internal static class TrainerExit
{
    /// <summary>
    /// A signal of the process's own doing is a native abort; one from outside, or any other end, says nothing about a unit.
    /// </summary>
    public static FailureKind KindOf(int code) => code is 134 or 136 or 139 or 132 or 135
        ? FailureKind.NativeAbort : FailureKind.ProcessLost;

    public static string Describe(int code) => code switch
    {
        137 => "killed, SIGKILL",
        134 => "aborted in native code, SIGABRT",
        139 => "fault in native code, SIGSEGV",
        143 => "ended, SIGTERM",
        _ => Invariant($"exit code {code}"),
    };

    public static async Task<int> CodeAsync(Process ended)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(5));
        try
        {
            await ended.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            ended.Kill(true);
            await ended.WaitForExitAsync();
        }

        return ended.ExitCode;
    }
}
