using System.Diagnostics;
using System.Text.Json;
using DaNas.Cli.Presentation;
using DaNas.Runtime.Processes;

namespace DaNas.EndToEnd.Tests;

/// <summary>Faults of disks, blocks, numbers and processes, with the built executable.</summary>
public sealed class FaultTests : IDisposable
{
    private const string Round = "RoundCompleted";
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Fact]
    public void Damaged_weights_are_noticed_and_the_search_goes_back_and_ends_as_the_clean_one()
    {
        JsonElement clean = Danas.CleanEnd;
        using (Process first = danas.Start(["run", .. Danas.Tiny, "--id", "rotten"]))
        {
            danas.WaitFor("rotten", Round, 4, first);
            first.Kill(true);
            first.WaitForExit();
        }

        foreach (string blob in Directory.EnumerateFiles(Path.Combine(danas.Folder, "out", "searches", "rotten", "blobs"), "*",
            SearchOption.AllDirectories))
            File.WriteAllText(blob, "rotten");
        (int code, string text, string error) = danas.Run("resume", "rotten", "--json");
        code.ShouldBe(0, error);
        error.ShouldContain("rolled back to the last round with intact weights");
        Danas.SameOutcome(Danas.LastLine(text), clean);
    }

    [Fact]
    public void A_block_that_aborts_the_trainer_is_quarantined_and_the_search_goes_on_without_it()
    {
        (int code, string text, string error) = danas.Run(["DANAS_FAULT_BLOCK=L03/k5e6:abort"],
            ["run", .. Danas.Tiny, "--id", "poison", "--json"]);
        code.ShouldBe(0, error);
        error.ShouldContain("quarantined L03/k5e6");
        string[] events = danas.Events("poison");
        events.Count(e => e.Contains("blocks-quarantined/1", StringComparison.Ordinal)).ShouldBe(1);
        danas.Run("describe", "poison").Output.ShouldContain("quarantined: L03/k5e6");
        string decision = Danas.LastLine(text).GetProperty("decisionHash").GetString()!;
        (_, string again, _) = danas.Run(["DANAS_FAULT_BLOCK=L03/k5e6:abort"], ["run", .. Danas.Tiny, "--id", "again", "--json"]);
        Danas.LastLine(again).GetProperty("decisionHash").GetString().ShouldBe(decision);
    }

    [Fact]
    public void A_poison_block_stops_the_search_where_the_configuration_says_so()
    {
        (int code, _, string error) = danas.Run(["DANAS_FAULT_BLOCK=L03/k5e6:abort"],
            ["run", .. Danas.Tiny, "--id", "poison", "--set", "faults.poison=stop"]);
        code.ShouldBe(1);
        error.ShouldContain("NativeAbort");
        danas.Run("resume", "poison", "--json").Code.ShouldBe(0); // The block is mended.
    }

    [Fact]
    public void Numbers_that_are_none_roll_back_and_then_the_block_is_quarantined()
    {
        (int code, _, string error) = danas.Run(["DANAS_FAULT_BLOCK=L02/k3e3:nan"],
            ["run", .. Danas.Tiny, "--id", "nan", "--set", "difficulty.block=k3e1", "--json"]);
        code.ShouldBe(0, error);
        error.ShouldContain("training diverged");
        error.ShouldContain("quarantined L02/k3e3");
        danas.Events("nan").Count(e => e.Contains("rolled-back/1", StringComparison.Ordinal)).ShouldBeGreaterThanOrEqualTo(2);
    }

    [Fact]
    public void A_trainer_that_hangs_is_killed_at_the_deadline_and_its_unit_is_run_again()
    {
        (int code, _, string error) = danas.Run(["DANAS_FAULT_BLOCK=L03/k5e6:hang"],
            ["run", .. Danas.Tiny, "--id", "hung", "--set", "trainers.unit-deadline=3s", "--set", "trainers.attempts=1", "--json"]);
        code.ShouldBe(0, error);
        error.ShouldContain("quarantined L03/k5e6");
        danas.Events("hung").ShouldContain(e => e.Contains("Deadline: no result within 3 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stopped_trainer_loses_its_unit_to_another_and_its_late_report_is_lost_work()
    {
        JsonElement clean = danas.Clean("--set", "trainers.silence=2s"); // The setting is part of the first event, so of the hash.
        using Process process = danas.Start(["run", .. Danas.Tiny, "--id", "zombie", "--set", "trainers.silence=2s", "--json"]);
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        danas.WaitFor("zombie", Round, 2, process);
        int victim = Danas.Children(process.Id)[0];
        Signal("-STOP", victim);
        danas.WaitFor("zombie", "DispatcherTrainerSilent", 1, process);
        int rounds = danas.Stored("zombie", Round);
        danas.WaitFor("zombie", Round, rounds + 1, process);
        Signal("-CONT", victim);
        process.WaitForExit(TimeSpan.FromMinutes(2)).ShouldBeTrue();
        process.ExitCode.ShouldBe(0, await errors);
        Danas.SameOutcome(Danas.LastLine(await text), clean);
        int late = danas.Stored("zombie", "DispatcherLateResult");
        late.ShouldBeInRange(1, 3); // On a starved machine the other one may be silent for two seconds as well.
        danas.Events("zombie").Count(e => e.Contains("late: another attempt", StringComparison.Ordinal)).ShouldBe(late);
    }

    [MountFact]
    public async Task A_full_disk_pauses_the_search_and_space_lets_it_go_on()
    {
        JsonElement clean = Danas.CleanEnd;
        string mount = Directory.CreateDirectory(Path.Combine(danas.Folder, "small")).FullName;
        Mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", mount).ShouldBe(0);
        try
        {
            using Process process = danas.Start(["run", .. Danas.Tiny, "--id", "full", "--out", mount, "--json"]);
            Task<string> text = process.StandardOutput.ReadToEndAsync();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            danas.WaitFor("full", "StorageUnavailable", 2, process, mount);
            process.HasExited.ShouldBeFalse();
            Mount("-o", "remount,size=300m", mount).ShouldBe(0);
            process.WaitForExit(TimeSpan.FromMinutes(2)).ShouldBeTrue();
            process.ExitCode.ShouldBe(0, await errors);
            (await errors).ShouldContain("free some space");
            Danas.SameOutcome(Danas.LastLine(await text), clean);
        }
        finally
        {
            using Process unmount = Process.Start("umount", ["-l", mount]);
            unmount.WaitForExit();
        }
    }

    /// <summary>Needs the right to mount a file system of limited size; skipped with the reason where there is none.</summary>
    private sealed class MountFactAttribute : FactAttribute
    {
        public MountFactAttribute()
        {
            string folder = Directory.CreateTempSubdirectory("danas-mount-").FullName;
            if (Mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", folder) != 0)
            {
                Skip = "no right to mount a file system here, so no disk can be filled";
                return;
            }

            using Process unmount = Process.Start("umount", [folder]);
            unmount.WaitForExit();
            Directory.Delete(folder);
        }
    }

    private static void Signal(string signal, int process)
    {
        using Process kill = Process.Start("kill", [signal, process.ToString()]);
        kill.WaitForExit();
    }

    private static int Mount(params string[] arguments)
    {
        using Process mounting = Process.Start(new ProcessStartInfo("mount", arguments) { RedirectStandardError = true })!;
        mounting.WaitForExit();
        return mounting.ExitCode;
    }
}
