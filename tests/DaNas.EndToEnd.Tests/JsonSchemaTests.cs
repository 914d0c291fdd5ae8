using System.Text.Json;
using System.Text.Json.Nodes;
using DaNas.Cli.Presentation;
using Json.Schema;

namespace DaNas.EndToEnd.Tests;

/// <summary>
/// What programs read is as docs/schemas says. DANAS_GOLDEN=write makes those files anew: for a field that was added; for one that goes,
/// another version is due.
/// </summary>
public sealed class JsonSchemaTests : IDisposable
{
    private static readonly bool Writes = Environment.GetEnvironmentVariable("DANAS_GOLDEN") == "write";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Fact]
    public void Every_json_output_names_its_schema_and_keeps_it()
    {
        danas.Clean();
        string exported = Path.Combine(danas.Folder, "exported"), images = Path.Combine(danas.Folder, "images");
        Bitmaps.Write(images, ["a", "b"]);
        string[][] commands =
        [
            ["search", "describe", "clean"], ["search", "ls"], ["event", "events", "clean"], ["state", "state", "clean", "--at", "20"],
                ["diff", "diff", "clean", "clean"], ["replay", "replay", "clean", "--ratio", "0.5"],
            ["explain-block", "explain", "clean", "L01/k5e3"], ["explain-class", "explain", "clean", "plain-disc"],
                ["estimate", "estimate", "drill", "--measure", "0"], ["data-check", "data", "check", images],
                ["data-show", "data", "show", Path.Combine(images, "train", "a", "0.bmp")],
            ["export", "export", "clean", "--to", exported], ["report", "report", "clean"], ["evaluate", "evaluate", "clean"],
                ["journal-verify", "journal", "verify"], ["blobs-verify", "blobs", "verify", "clean"],
            ["blobs-prune", "blobs", "prune", "clean", "--dry-run"], ["doctor", "doctor"],
                ["simulate", "simulate", "drill", "--runs", "1", "--trainers", "2", "--macs-per-second", "1e9"],
            ["bench-step", "bench", "step", "--seconds", "0.1"], ["bench-scale", "bench", "scale", "--trainers", "3", "--searches", "1",
                "--units", "50"], ["bench-overhead", "bench", "overhead", "--units", "50"],
            ["bench-calibration", "bench", "calibration", "--searches", "1", "--effects", "0"],
                ["bench-names", "bench", "names", "--classes", "2", "--each", "3"], ["bench-journal", "bench", "journal"],
        ];
        List<string> wrong = [];
        foreach (string[] command in commands)
        {
            // Those print nothing else.
            string[] arguments = command is [_, "bench", "step" or "overhead" or "journal", ..]
                ? command[1..] : [.. command[1..], "--json"];
            string text = danas.Run(["DANAS_JSON_SCHEMA=1"], arguments).Output.TrimEnd().Split('\n')[^1];
            if (text.Length > 0 && command is not ["search", "ls"]) // Its rows are those of describe.
                Kept(command[0], text, wrong);
            if (text.Length == 0)
            {
                wrong.Add($"{string.Join(' ', arguments)} has no schema");
                continue;
            }

            (int code, string output, string error) = danas.Run(arguments);
            code.ShouldBe(0, $"{string.Join(' ', arguments)}: {error}");
            Keeps(JsonSchema.FromText(text), output, string.Join(' ', arguments));
        }

        wrong.ShouldBeEmpty();
    }

    /// <summary>
    /// Verbs whose work takes long or needs a cluster print their schema before they begin; what those print that other tests run is held
    /// to it there (<see cref="ShouldKeep"/>).
    /// </summary>
    [Fact]
    public void A_verb_whose_work_takes_long_prints_its_schema_without_doing_it()
    {
        string[][] commands =
        [
            ["gap", "gap", "any"], ["space-probe", "space", "probe", "drill"], ["experiment", "experiment", "any"], ["measure", "measure"],
                ["searches", "searches"], ["nodes", "nodes", "ls"], ["bench-strategies", "bench", "strategies"],
            ["bench-blobs", "bench", "blobs"], ["drill-sweep", "drill", "sweep"], ["drill-kill-loop", "drill", "kill-loop"],
                ["drill-soak", "drill", "soak"], ["drill-cluster-soak", "drill", "soak", "--cluster"],
            ["drill-failover", "drill", "failover"], ["drill-throughput", "drill", "throughput"], ["drill-renewal", "drill", "renewal"],
                ["drill-partitions", "drill", "partitions"],
        ];
        List<string> wrong = [];
        foreach (string[] command in commands)
        {
            (int code, string output, string error) = danas.Run(["DANAS_JSON_SCHEMA=1"], command[1..]);
            code.ShouldBe(0, $"{string.Join(' ', command[1..])}: {error}");
            Kept(command[0], output, wrong);
        }

        wrong.ShouldBeEmpty();
    }

    /// <summary>Fails where what a verb printed is not as docs/schemas/NAME.json says.</summary>
    internal static void ShouldKeep(string name, string output) => Keeps(JsonSchema.FromText(File.ReadAllText(FileOf(name))), output, name);

    private static void Keeps(JsonSchema schema, string output, string what)
    {
        string[] lines = [.. output.TrimEnd().Split('\n').Where(l => l.StartsWith('{') || l.StartsWith('['))];
        lines.ShouldNotBeEmpty(what);
        foreach (string line in lines)
        {
            JsonNode value = JsonNode.Parse(line)!;
            IsKept(value).ShouldBeTrue($"{what}: {line[..Math.Min(300, line.Length)]}");
            (value as JsonObject ?? value[0]!.AsObject())["schema"] = "danas/other/1"; // An empty list would show nothing.
            IsKept(value).ShouldBeFalse(what);
        }

        bool IsKept(JsonNode value)
        {
            using JsonDocument document = JsonDocument.Parse(value.ToJsonString());
            return schema.Evaluate(document.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List }).IsValid;
        }
    }

    private static void Kept(string name, string text, List<string> wrong)
    {
        string file = FileOf(name);
        JsonNode schema = JsonNode.Parse(text)!;
        if (Writes)
            File.WriteAllText(file, schema.ToJsonString(Indented) + "\n");
        if (!File.Exists(file) || !JsonNode.DeepEquals(JsonNode.Parse(File.ReadAllText(file)), schema))
            wrong.Add($"{file} is not what the program says");
    }

    private static string FileOf(string name)
    {
        DirectoryInfo? d = new(AppContext.BaseDirectory);
        while (d is not null && !File.Exists(Path.Combine(d.FullName, "DaNas.Actors.sln")))
            d = d.Parent;
        return Path.Combine(d!.FullName, "docs", "schemas", $"{name}.json");
    }
}
