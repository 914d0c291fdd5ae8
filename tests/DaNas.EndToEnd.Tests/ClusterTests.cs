using System.Text.Json;

namespace DaNas.EndToEnd.Tests;

/// <summary>A fact that needs PostgreSQL; scripts/test.sh starts one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClusterFactAttribute : FactAttribute
{
    public ClusterFactAttribute()
    {
        if (Postgres is null)
            Skip = "no PostgreSQL: scripts/test.sh starts one and names it in DANAS_TEST_POSTGRES";
    }

    public static string? Postgres => Environment.GetEnvironmentVariable("DANAS_TEST_POSTGRES") is { Length: > 0 } address ? address : null;
}

/// <summary>Clusters of real processes on loopback.</summary>
public sealed class ClusterTests : IDisposable
{
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [ClusterFact]
    public void A_cluster_whose_leader_is_killed_and_frozen_and_whose_trainer_is_killed_ends_as_one_machine_does()
    {
        (int code, string text, string error) = danas.Run(
            [$"DANAS_JOURNAL={ClusterFactAttribute.Postgres}"], ["drill", "failover", "--runs", "1", "--json", "--set", "warmup.epochs=6", "--set", "stage.epochs=14"]);
        code.ShouldBe(0, text + error);
        JsonElement result = Danas.LastLine(text);
        result.GetProperty("hashesEqual").GetBoolean().ShouldBeTrue();
        result.GetProperty("searches").GetInt32().ShouldBeGreaterThan(0);
        foreach (string fault in new[] { "killed", "frozen", "trainerKilled" })
            result.GetProperty(fault).EnumerateArray().ShouldHaveSingleItem().GetDouble().ShouldBeLessThan(60, fault);
    }

    [ClusterFact]
    public void A_search_on_one_machine_keeps_its_journal_in_PostgreSQL_where_that_is_named()
    {
        string journal = $"DANAS_JOURNAL={ClusterFactAttribute.Postgres}";
        string id = $"pg-{Guid.NewGuid():N}";
        using (System.Diagnostics.Process first = danas.Start([journal], ["run", .. Danas.Tiny, "--id", id]))
        {
            danas.WaitFor(id, "\"id\":101,", 12, first);
            first.Kill(true);
            first.WaitForExit();
        }

        (int code, string text, string error) = danas.Run([journal], ["resume", id, "--json"]);
        code.ShouldBe(0, error);
        Danas.SameOutcome(Danas.LastLine(text), Danas.CleanEnd);
        File.Exists(Path.Combine(danas.Folder, "out", "journal.db")).ShouldBeFalse();
        (code, text, _) = danas.Run([journal], ["ls", "--json"]);
        code.ShouldBe(0);
        text.ShouldContain(id);
    }

    [Theory]
    [InlineData("DANAS_JOURNAL", "node", "--roles", "coordinator")]
    [InlineData("--join", "node", "--roles", "trainer")]
    [InlineData("cook", "node", "--roles", "cook", "--join", "127.0.0.1:1")]
    [InlineData("--secret-file", "node", "--roles", "trainer", "--join", "10.1.2.3:7411")]
    [InlineData("--secret-file", "node", "--roles", "trainer", "--join", "127.0.0.1:1", "--listen", "0.0.0.0:7999")]
    [InlineData("ADDRESS:PORT", "node", "--listen", "nonsense")]
    [InlineData("HOST:PORT", "node", "--roles", "trainer", "--join", "nonsense")]
    [InlineData("no-such-secret", "node", "--roles", "trainer", "--join", "127.0.0.1:1", "--secret-file", "no-such-secret")]
    [InlineData("--cluster", "nodes", "ls")]
    [InlineData("HOST:PORT", "nodes", "ls", "--cluster", "nonsense")]
    [InlineData("passw", "run", "drill", "DANAS_JOURNAL=postgres://danas:secret@db/danas")]
    [InlineData("127.0.0.1:1", "run", "drill", "DANAS_JOURNAL=postgres://danas@127.0.0.1:1/danas")]
    public void A_node_that_cannot_work_says_why_in_one_line(string said, params string[] arguments)
    {
        string[] environment = [.. arguments.Where(a => a.StartsWith("DANAS_", StringComparison.Ordinal))];
        (int code, _, string error) = danas.Run(environment.Length > 0 ? environment : ["DANAS_JOURNAL="], [.. arguments.Except(environment)]);
        code.ShouldBeInRange(1, 2);
        error.ShouldContain(said);
        error.ShouldNotContain("   at ");
        error.TrimEnd().Split('\n').Length.ShouldBe(1, error);
    }
}
