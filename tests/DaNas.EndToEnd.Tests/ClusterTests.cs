using System.Diagnostics;
using System.Text.Json;

namespace DaNas.EndToEnd.Tests;

/// <summary>A fact that needs PostgreSQL; scripts/test.sh starts one where the package is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClusterFactAttribute : FactAttribute
{
    public ClusterFactAttribute()
    {
        if (Postgres is null)
            Skip = "no PostgreSQL: install the package postgresql; scripts/test.sh then starts one and names it in DANAS_TEST_POSTGRES";
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
            [$"DANAS_JOURNAL={ClusterFactAttribute.Postgres}"],
                ["drill", "failover", "--runs", "1", "--json", "--set", "warmup.epochs=6", "--set", "stage.epochs=14"]);
        code.ShouldBe(0, text + error);
        JsonSchemaTests.ShouldKeep("drill-failover", text);
        JsonElement result = Danas.LastLine(text);
        result.GetProperty("hashesEqual").GetBoolean().ShouldBeTrue();
        result.GetProperty("searches").GetInt32().ShouldBeGreaterThan(0);
        foreach (string fault in new[] { "killed", "frozen", "trainerKilled" })
            result.GetProperty(fault).EnumerateArray().ShouldHaveSingleItem().GetDouble().ShouldBeLessThan(60, fault);
    }

    [ClusterFact]
    public void What_a_node_was_told_outlives_the_leader_and_the_read_model_tells_the_search_without_one()
    {
        string journal = $"DANAS_JOURNAL={ClusterFactAttribute.Postgres}";
        string name = $"c{Guid.NewGuid():N}"[..12];
        int[] ports = [Danas.FreePort(), Danas.FreePort(), Danas.FreePort(), Danas.FreePort()];
        string join = $"127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}";
        Process Node(int port, string roles, string node) => danas.Start(
            [journal], ["node", "--roles", roles, "--name", node, "--cluster-name", name, "--listen", $"127.0.0.1:{ports[port]}", "--join",
                join, "--out", Path.Combine(danas.Folder, node)]);
        List<Process> nodes = [Node(0, "coordinator", "c0"), Node(2, "trainer", "t0"), Node(3, "trainer,projector", "t1")];
        try
        {
            WaitForNodes(join, n => n.Count == 2);
            danas.Run(["nodes", "drain", "t1", "--cluster", join]).Code.ShouldBe(0);
            nodes[0].Kill();
            nodes.Add(Node(1, "coordinator", "c1"));
            WaitForNodes(join, n => n.Count == 2 && n["t1"] == "Draining" && n["t0"] == "Active");
            danas.Run(["nodes", "drain", "nobody", "--cluster", join]).Error.ShouldContain("nobody");
            (int code, string text, string error) = danas.Run([journal], ["run", .. Danas.Tiny, "--id", name, "--cluster", join, "--json"]);
            code.ShouldBe(0, error);
            Danas.SameOutcome(Danas.LastLine(text), Danas.CleanEnd);
            nodes[^1].Kill();
            JsonElement row = default;
            for (int tries = 0; tries < 60 && row.ValueKind == JsonValueKind.Undefined; tries++)
            {
                (code, text, error) = danas.Run([journal], ["searches", "--json"]);
                code.ShouldBe(0, error);
                JsonSchemaTests.ShouldKeep("searches", text);
                row = JsonDocument.Parse(text).RootElement.EnumerateArray().FirstOrDefault(
                    r => r.GetProperty("overview").GetProperty("id").GetString() == name && r.GetProperty("isOver").GetBoolean());
            }

            row.GetProperty("behind").GetInt64().ShouldBe(0);
            row.GetProperty("overview").GetProperty("decisionHash").GetString()
                .ShouldBe(Danas.CleanEnd.GetProperty("decisionHash").GetString());
        }
        finally
        {
            nodes.ForEach(n => n.Kill(true));
        }
    }

    /// <summary>
    /// Leader and trainers in one actor system: their actors must not take each other's names, and the leader must reach itself.
    /// </summary>
    [ClusterFact]
    public void A_node_that_coordinates_and_trains_runs_a_search_by_itself()
    {
        string journal = $"DANAS_JOURNAL={ClusterFactAttribute.Postgres}";
        string name = $"c{Guid.NewGuid():N}"[..12];
        string listen = $"127.0.0.1:{Danas.FreePort()}";
        using Process node = danas.Start([journal], ["node", "--roles", "coordinator,trainer", "--name", "both", "--cluster-name", name,
            "--listen", listen, "--out", Path.Combine(danas.Folder, "both")]);
        try
        {
            WaitForNodes(listen, n => n.Count == 1);
            (int code, string text, string error) = danas.Run(
                [journal], ["run", .. Danas.Tiny, "--id", name, "--cluster", listen, "--json"]);
            code.ShouldBe(0, error);
            Danas.SameOutcome(Danas.LastLine(text), Danas.CleanEnd);
        }
        finally
        {
            node.Kill(true);
        }
    }

    private void WaitForNodes(string join, Func<Dictionary<string, string>, bool> are)
    {
        Dictionary<string, string> seen = [];
        for (int tries = 0; tries < 100; tries++)
        {
            (int code, string text, _) = danas.Run(["nodes", "ls", "--cluster", join, "--json"]);
            seen = code != 0 ? [] : JsonDocument.Parse(text).RootElement.EnumerateArray()
                .Where(n => n.GetProperty("connected").GetBoolean())
                .ToDictionary(n => n.GetProperty("node").GetProperty("name").GetString()!, n => n.GetProperty("duty").GetString()!);
            if (!are(seen))
                continue;
            JsonSchemaTests.ShouldKeep("nodes", text);
            return;
        }

        throw new TimeoutException($"the nodes are {string.Join(", ", seen)}");
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
    [InlineData("--certificates", "node", "--roles", "trainer", "--join", "10.1.2.3:7411")]
    [InlineData("--certificates", "node", "--roles", "trainer", "--join", "127.0.0.1:1", "--listen", "0.0.0.0:7999")]
    [InlineData("ADDRESS:PORT", "node", "--listen", "nonsense")]
    [InlineData("HOST:PORT", "node", "--roles", "trainer", "--join", "nonsense")]
    [InlineData("authority.crt is missing", "node", "--roles", "trainer", "--join", "127.0.0.1:1", "--certificates", "no-such-folder")]
    [InlineData("--certificates DIR", "node", "--roles", "trainer", "--join", "127.0.0.1:1", "--secret-file", "secret")]
    [InlineData("--certificates DIR", "nodes", "ls", "--cluster", "10.1.2.3:7411")]
    [InlineData("no longer supported", "run", "drill", "DANAS_STACK=akka")]
    [InlineData("DANAS_HOST is no longer supported", "run", "drill", "DANAS_HOST=embedded")]
    [InlineData("-p:DanasTorch=cuda", "run", "drill", "DANAS_TORCH=torchsharp-cuda")]
    [InlineData("DANAS_LIBTORCH is no longer supported", "doctor", "DANAS_LIBTORCH=/opt/libtorch")]
    [InlineData("DANAS_NATIVE is no longer supported", "doctor", "DANAS_NATIVE=/opt/native")]
    [InlineData("--certificates DIR", "nodes", "ls", "DANAS_SECRET_FILE=secret")]
    [InlineData("--host is no longer supported", "run", "drill", "--host", "akka")]
    [InlineData("--cluster", "nodes", "ls")]
    [InlineData("HOST:PORT", "nodes", "ls", "--cluster", "nonsense")]
    [InlineData("passw", "run", "drill", "DANAS_JOURNAL=postgres://danas:secret@db/danas")]
    [InlineData("127.0.0.1:1", "run", "drill", "DANAS_JOURNAL=postgres://danas@127.0.0.1:1/danas")]
    public void A_node_that_cannot_work_says_why_in_one_line(string said, params string[] arguments)
    {
        string[] environment = [.. arguments.Where(a => a.StartsWith("DANAS_", StringComparison.Ordinal))];
        (int code, _, string error) = danas.Run(environment.Length > 0
            ? environment : ["DANAS_JOURNAL="], [.. arguments.Except(environment)]);
        code.ShouldBeInRange(1, 2);
        error.ShouldContain(said);
        error.ShouldNotContain("   at ");
        error.TrimEnd().Split('\n').Length.ShouldBe(1, error);
    }
}
