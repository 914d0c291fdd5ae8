using System.Diagnostics;
using System.Text.Json;

namespace DaNas.EndToEnd.Tests;

/// <summary>From a search to a model: training, evaluation, latency, gaps, experiments.</summary>
public sealed class ModelTests : IDisposable
{
    private static readonly string[] Recipe =
    [
        "--set", "retrain.optimiser=adamw", "--set", "retrain.learning-rate=0.002", "--set", "retrain.average-decay=0.9", "--set",
            "retrain.mixup=0.2", "--set", "retrain.rand-augment.operations=1",
        "--set", "retrain.label-smoothing=0.1", "--set", "retrain.warmup-epochs=0.2", "--set", "retrain.epochs=2",
    ];

    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Fact]
    public void A_training_that_is_killed_ends_as_one_that_is_not()
    {
        danas.Clean();
        (int code, string text, string error) = danas.Run(["train", "clean", "--top", "2", .. Recipe, "--id", "whole", "--json"]);
        code.ShouldBe(0, error);
        JsonElement whole = Danas.LastLine(text);
        using (Process first = danas.Start(["train", "clean", "--top", "2", .. Recipe, "--id", "killed"]))
        {
            danas.WaitFor("killed", "\"id\":101,", 5, first);
            first.Kill(true);
            first.WaitForExit();
        }

        (code, text, error) = danas.Run("resume", "killed", "--json");
        code.ShouldBe(0, error);
        Danas.SameOutcome(Danas.LastLine(text), whole);
        danas.Run("report", "killed").Code.ShouldBe(0);
        string evaluation = Path.Combine(danas.Folder, "evaluation.json");
        (code, text, error) = danas.Run("evaluate", "killed", "--model", "runner-up-1", "--to", evaluation);
        code.ShouldBe(0, error);
        error.ShouldBeEmpty(); // The journal's accuracy is found again.
        JsonElement said = JsonDocument.Parse(File.ReadAllText(evaluation)).RootElement;
        said.GetProperty("confusion").EnumerateArray().Sum(row => row.EnumerateArray().Sum(n => n.GetInt32()))
            .ShouldBe(said.GetProperty("images").GetInt32());
        said.GetProperty("top5").GetDouble().ShouldBeGreaterThanOrEqualTo(said.GetProperty("top1").GetDouble());
    }

    [Theory]
    [InlineData("specify the configuration", "cpu-base/k3e1.k3e1.k3e1.k3e1.k3e1.k3e1")]
    [InlineData("one candidate for each of the 6 layers", "cpu-base/k3e1.k3e1", "drill")]
    [InlineData("'danas ls", "nobody")]
    public void A_training_of_what_is_no_architecture_says_so(string said, params string[] what)
    {
        (int code, _, string error) = danas.Run(["train", .. what]);
        code.ShouldBe(2);
        error.ShouldContain(said);
        error.TrimEnd().Split('\n').Length.ShouldBe(1);
    }

    [Fact]
    public void An_experiment_goes_on_after_a_kill_and_its_tables_come_from_the_results_alone()
    {
        string conf = Path.Combine(danas.Folder, "small.conf"), results = Path.Combine(danas.Folder, "results");
        File.WriteAllText(conf, "experiment { name = small, search = drill, seeds = [1], reference = full, arms = [ { name = equal, " +
            "cost-of = da-nas }, { name = full, set = [\"prune.ratio=0\"] }, { name = da-nas } ] }\n");
        using (Process first = danas.Start("experiment", conf, "--to", results, "--parallel", "2"))
        {
            while (!first.HasExited && (!Directory.Exists(results) || Directory.GetFiles(results, "*.json").Length == 0))
                first.WaitForExit(50);
            first.Kill(true);
            first.WaitForExit();
        }

        (int code, string text, string error) = danas.Run("experiment", conf, "--to", results, "--json");
        code.ShouldBe(0, error);
        JsonSchemaTests.ShouldKeep("experiment", text);
        JsonElement said = Danas.LastLine(text);
        said.GetProperty("cells").GetInt32().ShouldBe(3);
        string one = File.ReadAllText(Path.Combine(results, "small-full-s1.json"));

        // The same matrix without a kill, in another folder: the same cells, but for seconds.
        string again = Path.Combine(danas.Folder, "again");
        danas.Run("experiment", conf, "--to", again, "--out", Path.Combine(danas.Folder, "out2")).Code.ShouldBe(0);
        foreach (string cell in Directory.GetFiles(results, "small-*.json"))
            WithoutSeconds(File.ReadAllText(Path.Combine(again, Path.GetFileName(cell))))
                .ShouldBe(WithoutSeconds(File.ReadAllText(cell)), cell);
        // Random search at about the cost of da-nas: of so few candidates one more is a large step, and each is only taken to cost the
        // budget.
        double spent = Weighted("small-equal-s1.json"), allowed = Weighted("small-da-nas-s1.json");
        spent.ShouldBeInRange(0.5 * allowed, 1.1 * allowed);
        double Weighted(string file) => JsonDocument.Parse(File.ReadAllText(Path.Combine(results, file))).RootElement.GetProperty("work")
            .EnumerateObject().Where(w => w.Name != "retraining")
            .Sum(w => w.Value.GetProperty("forwardMacs").GetDouble()
                * (1 + (2 * w.Value.GetProperty("backwardImages").GetDouble() / w.Value.GetProperty("forwardImages").GetDouble())));
        (code, text, error) = danas.Run("experiment", conf, "--to", results, "--tables", "--out", Path.Combine(danas.Folder, "elsewhere"));
        code.ShouldBe(0, error);
        text.ShouldContain("3 of 3 trials");
        text.ShouldContain("DA5");
        File.ReadAllText(Path.Combine(results, "tables.md")).ShouldContain("| full |");
        File.ReadAllText(Path.Combine(results, "small-full-s1.json")).ShouldBe(one);

        File.WriteAllText(conf, File.ReadAllText(conf).Replace("prune.ratio=0", "prune.ratio=0.1", StringComparison.Ordinal));
        (code, _, error) = danas.Run("experiment", conf, "--to", results, "--tables");
        code.ShouldBe(0);
        error.ShouldContain("small-full-s1.json was created with settings that differ");
        File.WriteAllText(conf, "experiment { name = small, search = drill, seeds = [1], reference = nobody, arms = [ { name = full, set " +
            "= [\"prune.ratoi=0\"] } ] }\n");
        (code, _, error) = danas.Run("experiment", conf, "--to", results);
        code.ShouldBe(2);
        error.ShouldContain("reference = nobody: name one of the arms: full");
        File.WriteAllText(conf, "experiment { name = small, search = drill, seeds = [1], reference = full, arms = [ { name = full }, { " +
            "name = equal, cost-of = equal } ] }\n");
        (code, _, error) = danas.Run("experiment", conf, "--to", results);
        code.ShouldBe(2);
        error.ShouldContain("cost-of = equal: name an arm that has no cost-of itself: full");
    }

    [Fact]
    public void An_experiment_until_the_first_scores_reads_no_further()
    {
        string conf = Path.Combine(danas.Folder, "agreement.conf"), results = Path.Combine(danas.Folder, "agreement");
        File.WriteAllText(conf, "experiment { name = agree, search = drill, seeds = [1, 2], reference = effect, until = first-scores, " +
            "arms = [ { name = effect } ] }\n");
        (int code, string text, string error) = danas.Run("experiment", conf, "--to", results);
        code.ShouldBe(0, error);
        text.ShouldContain("First scores");
        text.ShouldNotContain("DA4");
        foreach (int seed in (int[])[1, 2])
        {
            JsonElement cell = JsonDocument.Parse(File.ReadAllText(Path.Combine(results, $"agree-effect-s{seed}.json"))).RootElement;
            cell.GetProperty("models").GetArrayLength().ShouldBe(0);
            cell.GetProperty("stages").EnumerateArray().Count(s => s.GetProperty("scores").GetArrayLength() > 0).ShouldBe(1);
        }

        (_, text, _) = danas.Run("ls", "--json");
        text.ShouldContain("agree-effect-s2");
        text.ShouldNotContain("completed");
        string one = File.ReadAllText(Path.Combine(results, "agree-effect-s1.json"));
        danas.Run("experiment", conf, "--to", Path.Combine(danas.Folder, "agreement2"), "--out",
            Path.Combine(danas.Folder, "out3")).Code.ShouldBe(0);
        WithoutSeconds(File.ReadAllText(Path.Combine(danas.Folder, "agreement2", "agree-effect-s1.json"))).ShouldBe(WithoutSeconds(one));
        File.WriteAllText(conf, File.ReadAllText(conf).Replace(
            "{ name = effect }", "{ name = effect }, { name = random, cost-of = effect }", StringComparison.Ordinal));
        (code, _, error) = danas.Run("experiment", conf, "--to", results);
        code.ShouldBe(2);
        error.ShouldContain("cost-of needs complete searches; remove until");
    }

    private static string WithoutSeconds(string result) => System.Text.RegularExpressions.Regex
        .Replace(result, "\"seconds\": ?[0-9.eE+-]+", "\"seconds\":0");

    /// <summary>A probe is journalled like a search: after a kill the same command goes on, and once more it only reads.</summary>
    [Fact]
    public void A_probe_tells_whether_a_space_has_anything_to_find()
    {
        string[] probe = ["space", "probe", "drill", "--count", "5", "--json"];
        using (Process first = danas.Start(probe))
        {
            while (!first.HasExited && Trained() == 0)
                first.WaitForExit(50);
            first.Kill(true);
            first.WaitForExit();
        }

        (int code, string text, string error) = danas.Run(probe);
        code.ShouldBe(0, error);
        JsonSchemaTests.ShouldKeep("space-probe", text);
        JsonElement report = Danas.LastLine(text);
        report.GetProperty("rows").GetArrayLength().ShouldBe(5);
        report.GetProperty("rows").EnumerateArray().ShouldAllBe(
            r => r.GetProperty("alone").GetArrayLength() == 2 && r.GetProperty("initial").GetProperty("logSynflow").GetDouble() > 0);
        report.GetProperty("trivial").EnumerateArray().Select(t => t.GetProperty("name").GetString())
            .ShouldBe(["multiply-adds", "parameters", "synflow", "jacobian covariance"]);
        report.GetProperty("noise").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
        int stored = Trained();
        (code, text, _) = danas.Run(["space", "probe", "drill", "--count", "5"]);
        code.ShouldBe(0);
        text.ShouldContain("verdict: ");
        text.ShouldContain("validation accuracy");
        Trained().ShouldBe(stored);
        (code, _, error) = danas.Run("space", "probe", "drill", "--count", "4");
        (code, error.Trim()).ShouldBe((2, "a probe requires --count of 5 or more and --seeds of 2 or more"));
        (code, _, error) = danas.Run("space", "probe", "drill", "--all");
        code.ShouldBe(2);
        error.ShouldContain("exceed the limit of 1,000; omit --all");
        int Trained() => Directory.Exists(Path.Combine(danas.Folder, "out", "searches")) ? Directory.GetDirectories(
            Path.Combine(danas.Folder, "out", "searches")).Where(s =>
            Path.GetFileName(s).StartsWith("probe-drill", StringComparison.Ordinal)).Sum(s => danas.Stored(Path.GetFileName(s))) : 0;
    }

    [Fact]
    public void The_gaps_of_a_search_are_measured_over_architectures_trained_twice()
    {
        danas.Clean();
        (int code, string text, string error) = danas.Run("gap", "clean", "--count", "6", "--short", "0.5", "--json");
        code.ShouldBe(0, error);
        JsonSchemaTests.ShouldKeep("gap", text);
        JsonElement gap = Danas.LastLine(text);
        gap.GetProperty("rows").GetArrayLength().ShouldBe(6);
        gap.GetProperty("rows").EnumerateArray().ShouldAllBe(
            r => r.GetProperty("alone").GetArrayLength() == 2 && r.GetProperty("shortAlone").GetDouble() >= 0);
        // Without an order, where all six are equal in the supernet or by themselves, there is no tau.
        bool ordered = Distinct(r => r.GetProperty("supernet").GetDouble()) > 1
            && Distinct(r => r.GetProperty("alone").EnumerateArray().Average(a => a.GetDouble())) > 1;
        (gap.GetProperty("tau").GetProperty("value").ValueKind == JsonValueKind.Number).ShouldBe(ordered);
        int Distinct(Func<JsonElement, double> of) => gap.GetProperty("rows").EnumerateArray().Select(of).Distinct().Count();
        gap.GetProperty("mixedAccuracy").GetDouble().ShouldBeInRange(0, 1);
        string[] searches = Directory.GetDirectories(Path.Combine(danas.Folder, "out", "searches"));
        (int Whole, int Quick) trained = (searches.Count(s => s.Contains("clean-truth-6x2-", StringComparison.Ordinal)),
            searches.Count(s => s.Contains("clean-short-6x1-", StringComparison.Ordinal)));
        trained.ShouldBe((1, 1));
        int stored = searches.Sum(s => danas.Stored(Path.GetFileName(s)));
        (code, text, _) = danas.Run("gap", "clean", "--count", "6", "--short", "0.5", "--json");
        code.ShouldBe(0);
        Danas.LastLine(text).GetRawText().ShouldBe(gap.GetRawText());
        // Nothing is trained twice.
        Directory.GetDirectories(Path.Combine(danas.Folder, "out", "searches"))
            .Sum(s => danas.Stored(Path.GetFileName(s))).ShouldBe(stored);
        danas.Run("gap", "clean", "--count", "2").Code.ShouldBe(2);
    }

    [Fact]
    public void A_latency_table_is_measured_written_and_bounds_a_search()
    {
        string table = Path.Combine(danas.Folder, "table.json"), conf = Path.Combine(danas.Folder, "bound.conf");
        (int code, _, string error) = danas.Run("measure", "--conf", "drill", "--to", table, "--repeats", "8", "--accept");
        code.ShouldBe(0, error);
        JsonElement written = JsonDocument.Parse(File.ReadAllText(table)).RootElement;
        written.GetProperty("layers").EnumerateArray().ShouldAllBe(
            l => l.EnumerateObject().Count() == 6 && l.EnumerateObject().All(b => b.Value.GetDouble() > 0));
        double least = written.GetProperty("fixed-milliseconds").GetDouble() + written.GetProperty("layers").EnumerateArray()
            .Sum(l => l.EnumerateObject().Min(b => b.Value.GetDouble()));
        File.WriteAllText(conf, Invariant($"include \"searches/drill.conf\"\ncost {{ target-milliseconds = {least * 1.6}, latency {{ " +
            $"include \"{table}\" }} }}\n"));
        (code, string text, error) = danas.Run("run", conf, "--id", "bound", "--json");
        code.ShouldBe(0, error);
        JsonElement end = Danas.LastLine(text);
        string chosen = end.GetProperty("architecture").GetString()!;
        double took = written.GetProperty("fixed-milliseconds").GetDouble() + chosen.Split('/')[1].Split('.')
            .Select((b, l) => written.GetProperty("layers")[l].GetProperty(b).GetDouble()).Sum();
        took.ShouldBeLessThanOrEqualTo(least * 1.6);
        end.GetProperty("predictedMilliseconds").GetDouble().ShouldBe(took, 1e-3);

        // What was measured afterwards is in the report.
        File.WriteAllText(Path.Combine(danas.Folder, "out", "searches", "bound", "latency.json"), $"{{ \"device\": \"a <device>\", " +
            $"\"rows\": [ {{ \"architecture\": \"{chosen}\", \"milliseconds\": 1.25, \"predicted\": null }} ] }}");
        danas.Run("evaluate", "bound").Code.ShouldBe(0);
        string html = Path.Combine(danas.Folder, "bound.html");
        danas.Run("report", "bound", "--to", html).Code.ShouldBe(0);
        string page = File.ReadAllText(html);
        page.ShouldContain("\"milliseconds\":1.25");
        page.ShouldNotContain("a <device>"); // Escaped.
        page.ShouldNotContain("\"confusion\":[]");
        File.WriteAllText(conf, "include \"searches/drill.conf\"\ncost.target-milliseconds = 3\n");
        (code, _, error) = danas.Run("run", conf);
        code.ShouldBe(2);
        error.ShouldContain("cost.target-milliseconds = 3");
    }
}
