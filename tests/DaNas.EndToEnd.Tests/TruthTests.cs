using System.Text.Json;

namespace DaNas.EndToEnd.Tests;

/// <summary>A space that is trained whole, and what searches and their supernets are worth beside it.</summary>
public sealed class TruthTests : IDisposable
{
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    /// <summary>Three layers of two candidates: eight architectures, each trained twice.</summary>
    [Fact]
    public void Searches_are_held_against_a_space_that_is_trained_whole()
    {
        string conf = File("eight.conf", "include \"searches/drill.conf\"\nsearch.name = eight\nspace.layers = [{ channels = 16, stride " +
            "= 2 }, { channels = 24, stride = 2 }, { channels = 24, stride = 1 }]\nspace.candidates = { kernels = [3, 5], expansions = " +
            "[1], squeeze-excite = [false] }\ndifficulty.block = k3e1\nprune.ratio = 0\nderivation { candidates = 5, random = 0.5 " +
            "}\nfinals.count = 3\n");
        string truth = Path.Combine(danas.Folder, "truth.json");
        (int code, string text, string error) = danas.Run("space", "probe", conf, "--all", "--any-cost", "--split", "test", "--to", truth);
        code.ShouldBe(0, error);
        text.ShouldContain("test accuracy");
        JsonElement table = JsonDocument.Parse(System.IO.File.ReadAllText(truth)).RootElement;
        table.GetProperty("rows").GetArrayLength().ShouldBe(8);
        table.GetProperty("split").GetString().ShouldBe("test");

        string experiment = File("eight-arms.conf", "experiment { name = eight, search = eight.conf, seeds = [1], reference = da-nas, " +
            "truth = truth.json, arms = [ { name = da-nas } ] }\n");
        (code, text, error) = danas.Run("experiment", experiment, "--to", Path.Combine(danas.Folder, "results"));
        code.ShouldBe(0, error);
        text.ShouldContain("regret against architectures trained 2 times each, test accuracy in points");
        string winner = JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(danas.Folder, "results",
            "eight-da-nas-s1.json"))).RootElement.GetProperty("models")[0].GetProperty("architecture").GetString()!;
        double Mean(JsonElement row) => row.GetProperty("alone").EnumerateArray().Average(a => a.GetDouble());
        JsonElement[] rows = [.. table.GetProperty("rows").EnumerateArray()];
        long budget = JsonDocument.Parse(System.IO.File.ReadAllText(
            Path.Combine(danas.Folder, "results", "eight-da-nas-s1.json"))).RootElement.GetProperty("budget").GetInt64();
        double best = rows.Where(r => r.GetProperty("macs").GetInt64() <= budget).Max(Mean),
            chosen = Mean(rows.Single(r => r.GetProperty("architecture").GetString() == winner));
        System.IO.File.ReadAllText(Path.Combine(danas.Folder, "results", "tables.md"))
            .ShouldContain(Invariant($"| da-nas | 1 | {100 * (best - chosen):0.00} |"));

        string[] events = danas.Events("eight-da-nas-s1");
        events.Count(e => e.Contains("finalist-measured", StringComparison.Ordinal)
            && e.Contains("\"run\":\"final-1-", StringComparison.Ordinal)).ShouldBe(3);
        string probe = Path.GetFileName(Directory.GetDirectories(Path.Combine(danas.Folder, "out", "searches"), "probe-eight-*").Single());
        danas.Events(probe)[0].ShouldContain("\\u0022measure-on\\u0022:\\u0022test\\u0022");

        (code, text, error) = danas.Run("gap", "eight-da-nas-s1", "--truth", truth, "--json");
        code.ShouldBe(0, error);
        error.ShouldContain("8 of the table's 8 architectures; their accuracies are of the test split");
        Danas.LastLine(text).GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("architecture").GetString()!)
            .Order(StringComparer.Ordinal)
            .ShouldBe(rows.Select(r => r.GetProperty("architecture").GetString()!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_table_that_is_none_or_of_other_data_is_refused()
    {
        (int code, _, string error) = danas.Run("space", "probe", "drill", "--split", "train");
        code.ShouldBe(2);
        error.ShouldContain("train");
        string missing = File("missing.conf", "experiment { name = x, search = drill, seeds = [1], reference = a, truth = nowhere.json, " +
            "arms = [ { name = a } ] }\n");
        (code, _, error) = danas.Run("experiment", missing);
        code.ShouldBe(2);
        error.ShouldContain("nowhere.json does not exist; create one with 'danas space probe CONF --all --any-cost --to FILE'");
        danas.Clean();
        string other = File("other.json", """
            {"name":"x","band":2,"spread":0,"noise":0,"ceiling":{"value":0,"low":0,"high":0},"trainingsNeeded":null,"secondsPerTraining":1,
            "trivial":[],"data":"00","rows":[{"architecture":"a","macs":1,"parameters":1,"alone":[0.1,0.2],"initial":null},
            {"architecture":"b","macs":1,"parameters":1,"alone":[0.1,0.2],"initial":null}]}
            """);
        (code, _, error) = danas.Run("gap", "clean", "--truth", other);
        code.ShouldBe(2);
        error.ShouldContain("it was trained on different data from clean");
    }

    private string File(string name, string text)
    {
        string file = Path.Combine(danas.Folder, name);
        System.IO.File.WriteAllText(file, text);
        return file;
    }
}
