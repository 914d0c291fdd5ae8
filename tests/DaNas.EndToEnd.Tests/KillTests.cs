using System.Diagnostics;
using System.Text.Json;
using DaNas.Cli.Presentation;
using DaNas.Runtime.Processes;
using Xunit.Abstractions;

namespace DaNas.EndToEnd.Tests;

public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private const string Event = "\"id\":101,";
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Fact]
    public void A_search_that_is_killed_again_and_again_is_the_clean_search()
    {
        JsonElement clean = danas.Clean();
        string[] cleanDecisions = Decisions("clean");
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        using (Process first = danas.Start(["run", .. Danas.Tiny, "--id", "killed"]))
            KillAfterEvents(first, "killed", random.Next(1, 30), wholeTree: true);
        string[] before = danas.Events("killed");
        for (int kill = 0; kill < 4; kill++)
        {
            using Process process = danas.Start("resume", "killed");
            KillAfterEvents(process, "killed", random.Next(1, 40), wholeTree: random.Next(2) == 0);
            string[] now = danas.Events("killed");
            now.Take(before.Length).ShouldBe(before);
            before = now;
        }

        (int code, string text, string error) = danas.Run("resume", "killed", "--json");
        code.ShouldBe(0, error);
        JsonElement resumed = Danas.LastLine(text);
        foreach (string field in new[] { "decisionHash", "weightsHash", "supernetHash", "architectureId", "testAccuracy",
            "randomTestAccuracy", "costImages", "costMacs" })
            resumed.GetProperty(field).ToString().ShouldBe(clean.GetProperty(field).ToString(), field);
        Decisions("killed").ShouldBe(cleanDecisions);
        danas.UnitsDoneAgain("killed").ShouldBeLessThanOrEqualTo(5 * 3, "a kill costs one round's two shards and their merge at most");
    }

    [Fact]
    public async Task A_killed_trainer_costs_its_unit_and_nothing_else()
    {
        JsonElement clean = danas.Clean();
        using Process process = danas.Start(["run", .. Danas.Tiny, "--id", "hurt", "--json"]);
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        danas.WaitFor("hurt", Event, 8, process);
        int[] trainers = Danas.Children(process.Id);
        trainers.Length.ShouldBe(2);
        Process.GetProcessById(trainers[0]).Kill();
        process.WaitForExit(TimeSpan.FromMinutes(3)).ShouldBeTrue();
        process.ExitCode.ShouldBe(0, await errors);
        JsonElement hurt = Danas.LastLine(await text);
        hurt.GetProperty("decisionHash").GetString().ShouldBe(clean.GetProperty("decisionHash").GetString());
        hurt.GetProperty("weightsHash").GetString().ShouldBe(clean.GetProperty("weightsHash").GetString());
    }

    [Fact]
    public async Task A_trainer_that_is_killed_while_it_starts_is_started_again_and_counts_against_nothing()
    {
        using Process process = danas.Start(["run", .. Danas.Tiny, "--id", "early", "--json", "--set", "trainers.attempts=1"]);
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        HashSet<int> killed = [];
        Stopwatch patience = Stopwatch.StartNew();
        while (killed.Count < 3 && !process.HasExited && patience.Elapsed < TimeSpan.FromMinutes(1))
        {
            foreach (int child in Danas.Children(process.Id).Where(killed.Add))
                Process.GetProcessById(child).Kill();
            process.WaitForExit(5);
        }

        process.WaitForExit(TimeSpan.FromMinutes(2)).ShouldBeTrue();
        process.ExitCode.ShouldBe(0, await errors);
        killed.Count.ShouldBeGreaterThanOrEqualTo(3);
        JsonElement end = Danas.LastLine(await text);
        end.GetProperty("weightsHash").GetString().ShouldBe(Danas.CleanEnd.GetProperty("weightsHash").GetString());
    }

    [Fact]
    public void An_interrupt_says_how_to_resume_and_exits_75_and_a_finished_search_prints_its_result_again()
    {
        using Process process = danas.Start(["run", .. Danas.Tiny, "--id", "stopped"]);
        danas.WaitFor("stopped", Event, 5, process);
        using Process kill = Process.Start("kill", ["-INT", process.Id.ToString()]);
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit(TimeSpan.FromMinutes(1)).ShouldBeTrue();
        process.ExitCode.ShouldBe(75);
        text.ShouldContain("To resume, run: danas resume stopped");
        danas.Run("resume", "stopped").Code.ShouldBe(0);
        (int code, string again, _) = danas.Run("resume", "stopped", "--json");
        code.ShouldBe(0);
        Danas.LastLine(again).GetProperty("status").GetString().ShouldBe("completed");
        JsonElement list = Danas.LastLine(danas.Run("ls", "--json").Output);
        list[0].GetProperty("searchId").GetString().ShouldBe("stopped");
        File.Exists(Path.Combine(danas.Folder, "out", "searches", "stopped", "architecture.json")).ShouldBeTrue();
        danas.Run("describe", "stopped").Output.ShouldContain("completed");
        danas.Run("explain", "stopped", "L01/k3e1").Code.ShouldBe(0);
        danas.Run("logs", "stopped").Output.ShouldContain("/dispatcher");
        danas.Run("export", "stopped", "--json").Output.ShouldContain("danas-architecture/1");
    }

    [Fact]
    public void An_interrupt_before_the_first_event_says_that_there_is_nothing_to_resume_and_the_same_command_starts_the_search()
    {
        string[] command = ["run", .. Danas.Tiny, "--id", "early"];
        using (Process process = danas.Start(command))
        {
            SpinWait.SpinUntil(() => File.Exists(Path.Combine(danas.Folder, "out", "searches", "early", "owner.pid"))
                || process.HasExited, TimeSpan.FromMinutes(1));
            using Process kill = Process.Start("kill", ["-INT", process.Id.ToString()]);
            string text = process.StandardOutput.ReadToEnd();
            process.WaitForExit(TimeSpan.FromMinutes(1)).ShouldBeTrue();
            process.ExitCode.ShouldBe(75);
            text.ShouldNotContain("danas resume");
            text.ShouldContain("run the same command to start it");
        }

        (int code, _, string error) = danas.Run("resume", "early");
        code.ShouldBe(2);
        error.ShouldContain("start it again with the original command");
        Danas.SameOutcome(Danas.LastLine(danas.Run([.. command, "--json"]).Output), Danas.CleanEnd);
    }

    /// <summary>
    /// Kills with SIGKILL once some more events are stored: the coordinator alone (its trainers end with it), or the whole tree.
    /// </summary>
    private void KillAfterEvents(Process process, string id, int more, bool wholeTree)
    {
        _ = process.StandardOutput.ReadToEndAsync();
        _ = process.StandardError.ReadToEndAsync();
        danas.WaitFor(id, Event, danas.Stored(id) + more, process);
        process.Kill(wholeTree);
        process.WaitForExit();
    }

    private string[] Decisions(string id) => [.. danas.Events(id)
        .Select(e => JsonDocument.Parse(e).RootElement)
        .Where(e => e.GetProperty("manifest").GetString() is "blocks-pruned/1" or "architecture-selected/1"
            or "search-completed/1" or "block-scored/1")
        .Select(e => e.GetProperty("event").GetRawText())];
}
