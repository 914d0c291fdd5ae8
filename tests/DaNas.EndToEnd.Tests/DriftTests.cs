using System.Text.Json;
using DaNas.Cli.Presentation;

namespace DaNas.EndToEnd.Tests;

/// <summary>Resuming under other conditions, time travel, damaged journals, and the crash-point sweep, with the built executable.</summary>
public sealed class DriftTests(Xunit.Abstractions.ITestOutputHelper output) : IDisposable
{
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Fact]
    public void Another_configuration_is_refused_with_a_diff_and_recorded_when_accepted()
    {
        Interrupted("drift", 20);
        (int code, _, string error) = danas.Run("resume", "drift", "--set", "weights.learning-rate=0.1");
        code.ShouldBe(2);
        error.ShouldContain("weights.learning-rate: 0.05 -> 0.1");
        error.ShouldContain("--accept");
        (code, _, error) = danas.Run("resume", "drift", "--set", "rounds.steps=3", "--accept");
        code.ShouldBe(2);
        error.ShouldContain("can no longer be changed");
        danas.Run("resume", "drift", "--set", "weights.learning-rate=0.1", "--accept").Code.ShouldBe(0);
        danas.Events("drift").Count(e => e.Contains("configuration-changed/1", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void A_change_of_how_the_work_is_done_is_recorded_and_changes_no_decision()
    {
        JsonElement clean = Danas.CleanEnd;
        Interrupted("fewer", 20);
        danas.Run("resume", "fewer", "--set", "trainers.count=1").Code.ShouldBe(2);
        (int code, string text, string error) = danas.Run("resume", "fewer", "--set", "trainers.count=1", "--accept", "--json");
        code.ShouldBe(0, error);
        Danas.SameOutcome(Danas.LastLine(text), clean);
        danas.Events("fewer").Count(e => e.Contains("operation-changed/1", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void Another_engine_profile_is_refused_and_recorded_when_accepted()
    {
        Interrupted("threads", 20);
        (int code, _, string error) = danas.Run("resume", "threads", "--set", "trainers.threads=2", "--set", "trainers.count=1");
        code.ShouldBe(2);
        error.ShouldContain("trainers.threads: 1 -> 2");
        danas.Run("resume", "threads", "--set", "trainers.threads=2", "--set", "trainers.count=1", "--accept").Code.ShouldBe(0);
        danas.Events("threads").Count(e => e.Contains("engine-changed/1", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void Another_data_set_is_refused_and_recorded_when_accepted()
    {
        string images = Images();
        string[] run = ["run", .. Danas.Tiny, "--set", "space.stem.stride=1", "--data", images, "--id", "data"];
        using (System.Diagnostics.Process first = danas.Start(run))
        {
            danas.WaitFor("data", "\"id\":101,", 10, first);
            first.Kill(true);
            first.WaitForExit();
        }

        File.Copy(Path.Combine(images, "train", "a", "0.png"), Path.Combine(images, "train", "a", "new.png"));
        (int code, _, string error) = danas.Run("resume", "data");
        code.ShouldBe(2, error);
        error.ShouldContain("fingerprint:");
        error.ShouldContain("training pictures:");
        danas.Run("resume", "data", "--accept").Code.ShouldBe(0);
        danas.Events("data").Count(e => e.Contains("data-changed/1", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void Forks_of_any_event_end_as_their_parent_and_a_changed_one_parts_at_the_change()
    {
        JsonElement clean = danas.Clean();
        int events = danas.Events("clean").Length;
        foreach (int at in new[] { 3, events / 4, events / 2, events - 2 })
        {
            danas.Run("fork", "clean", "--from", at.ToString(), "--id", $"at-{at}").Output.ShouldContain($"danas resume at-{at}");
            (int code, string text, string error) = danas.Run("resume", $"at-{at}", "--json");
            code.ShouldBe(0, error);
            Danas.SameOutcome(Danas.LastLine(text), clean);
            danas.Run("diff", "clean", $"at-{at}").Output.ShouldContain("are the same");
        }

        danas.Run("fork", "clean", "--from", "8", "--set", "prune.ratio=0.6", "--id", "other").Code.ShouldBe(0);
        danas.Run("resume", "other").Code.ShouldBe(0);
        danas.Run("diff", "clean", "other").Output.ShouldContain("configuration-changed/1");
        JsonElement state = Danas.LastLine(danas.Run("state", "clean", "--at", "8", "--json").Output);
        state.GetProperty("at").GetInt32().ShouldBe(8);
        danas.Run("state", "clean", "--at", "100000").Code.ShouldBe(2);
        string same = danas.Run("replay", "clean").Output;
        same.ShouldContain("kept instead: none; removed instead: none");
        danas.Run("replay", "clean", "--ratio", "0.2").Output.ShouldContain("layer 0.2 removes");
        danas.Run("replay", "clean", "--rule", "threshold").Error.ShouldContain("only the rule 'layer' can compare");
        danas.Run("journal", "verify").Output.ShouldContain("chain, head and decisions are intact");
        danas.Run("blobs", "verify", "clean").Output.ShouldContain("0 damaged, 0 required but missing");
        danas.Run("blobs", "prune", "clean").Code.ShouldBe(0);
        danas.Run("blobs", "verify", "clean").Output.ShouldContain("0 damaged, 0 required but missing");
    }

    [Fact]
    public void A_damaged_journal_is_refused_with_the_remedy_each_time_and_an_accepted_loss_goes_on_to_the_same_end()
    {
        JsonElement clean = Danas.CleanEnd;
        Interrupted("cut", 60);
        string journal = Path.Combine(danas.Folder, "out", "journal.db");
        using (Microsoft.Data.Sqlite.SqliteConnection connection = new($"Data Source={journal};Pooling=False"))
        {
            connection.Open();
            using Microsoft.Data.Sqlite.SqliteCommand command = connection.CreateCommand();
            command.CommandText = "DELETE FROM journal WHERE persistence_id = 'search-cut' AND sequence_number > 33";
            command.ExecuteNonQuery().ShouldBeGreaterThan(0);
        }

        for (int i = 0; i < 2; i++)
        {
            (int code, _, string error) = danas.Run("resume", "cut");
            code.ShouldBe(2, error);
            error.ShouldContain("ends at event 33");
            error.ShouldContain("--accept");
        }

        (int verified, string found, _) = danas.Run("journal", "verify");
        verified.ShouldBe(1);
        found.ShouldContain("ends at event 33");
        // Killed before the loss is recorded:
        danas.Run(["DANAS_FAULT_POINT=event-before:1"], ["resume", "cut", "--accept"]).Code.ShouldBe(137);
        danas.Run("resume", "cut").Code.ShouldBe(2); // it is still refused.
        (int accepted, string text, string said) = danas.Run("resume", "cut", "--accept", "--json");
        accepted.ShouldBe(0, said);
        Danas.SameOutcome(Danas.LastLine(text), clean);
        danas.Events("cut").Count(e => e.Contains("history-lost/1", StringComparison.Ordinal)).ShouldBe(1);
        File.Delete(journal);
        (int gone, _, string lost) = danas.Run("resume", "cut");
        gone.ShouldBe(2);
        lost.ShouldContain("restore the journal");
    }

    [Fact]
    public void Killed_at_forty_points_of_events_and_blobs_a_search_is_the_clean_search()
    {
        (int code, string text, string error) = danas.Run("drill", "sweep", "--points", "40", "--independent", "3");
        output.WriteLine(text);
        code.ShouldBe(0, text + error);
        JsonSchemaTests.ShouldKeep("drill-sweep", text);
        JsonElement result = Danas.LastLine(text);
        (result.GetProperty("eventPoints").GetInt32() + result.GetProperty("blobPoints").GetInt32()).ShouldBe(40);
        result.GetProperty("blobPoints").GetInt32().ShouldBeGreaterThan(5);
        result.GetProperty("different").GetInt32().ShouldBe(0);
    }

    private void Interrupted(string id, int events)
    {
        using System.Diagnostics.Process first = danas.Start(["run", .. Danas.Tiny, "--id", id]);
        danas.WaitFor(id, "\"id\":101,", events, first);
        first.Kill(true);
        first.WaitForExit();
    }

    private string Images()
    {
        string data = Path.Combine(danas.Folder, "images");
        byte[] pixel = Convert.FromBase64String(BadInputTests.OnePixelPng);
        foreach (string split in new[] { "train", "test" })
        {
            foreach (string c in new[] { "a", "b", "c", "d", "e", "f" })
            {
                string target = Directory.CreateDirectory(Path.Combine(data, split, c)).FullName;
                for (int i = 0; i < 24; i++)
                    File.WriteAllBytes(Path.Combine(target, $"{i}.png"), pixel);
            }
        }

        return data;
    }
}
