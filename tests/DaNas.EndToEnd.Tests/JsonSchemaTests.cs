using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace DaNas.EndToEnd.Tests;

/// <summary>What programs read is as docs/schemas says. DANAS_GOLDEN=write makes those files anew: for a field that was added; for one that goes, another version is due.</summary>
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
        string folder = Schemas(), exported = Path.Combine(danas.Folder, "exported"), pictures = Path.Combine(danas.Folder, "pictures");
        Bitmaps.Write(pictures, ["a", "b"]);
        string[][] commands =
        [
            ["search", "describe", "clean"], ["search", "ls"], ["event", "events", "clean"], ["state", "state", "clean", "--at", "20"], ["diff", "diff", "clean", "clean"], ["replay", "replay", "clean", "--ratio", "0.5"],
            ["explain-block", "explain", "clean", "L01/k5e3"], ["explain-class", "explain", "clean", "plain-disc"], ["estimate", "estimate", "drill", "--measure", "0"], ["data-check", "data", "check", pictures], ["data-show", "data", "show", Path.Combine(pictures, "train", "a", "0.bmp")],
            ["export", "export", "clean", "--to", exported], ["report", "report", "clean"], ["evaluate", "evaluate", "clean"], ["journal-verify", "journal", "verify"], ["blobs-verify", "blobs", "verify", "clean"],
            ["blobs-prune", "blobs", "prune", "clean", "--dry-run"], ["doctor", "doctor"],
        ];
        List<string> wrong = [];
        foreach (string[] command in commands)
        {
            string[] arguments = [.. command[1..], "--json"];
            string text = danas.Run(["DANAS_JSON_SCHEMA=1"], arguments).Output.TrimEnd().Split('\n')[^1];
            string file = Path.Combine(folder, $"{command[0]}.json");
            if (text.Length > 0 && command is not ["search", "ls"]) // Its rows are those of describe.
                Kept(file, text, wrong);
            if (text.Length == 0)
            {
                wrong.Add($"{string.Join(' ', arguments)} has no schema");
                continue;
            }

            JsonSchema schema = JsonSchema.FromText(text);
            (int code, string output, string error) = danas.Run(arguments);
            code.ShouldBe(0, $"{string.Join(' ', arguments)}: {error}");
            string[] lines = [.. output.TrimEnd().Split('\n').Where(l => l.StartsWith('{') || l.StartsWith('['))];
            lines.ShouldNotBeEmpty(string.Join(' ', arguments));
            foreach (string line in lines)
            {
                using JsonDocument value = JsonDocument.Parse(line);
                if (!schema.Evaluate(value.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List }).IsValid)
                    wrong.Add($"{string.Join(' ', arguments)}: {line[..Math.Min(300, line.Length)]}");
            }

            using JsonDocument other = JsonDocument.Parse("{\"schema\":\"danas/other/1\"}");
            schema.Evaluate(other.RootElement).IsValid.ShouldBeFalse(command[0]); // It can refuse.
        }

        wrong.ShouldBeEmpty();
    }

    private static void Kept(string file, string text, List<string> wrong)
    {
        JsonNode schema = JsonNode.Parse(text)!;
        if (Writes)
            File.WriteAllText(file, schema.ToJsonString(Indented) + "\n");
        if (!File.Exists(file) || !JsonNode.DeepEquals(JsonNode.Parse(File.ReadAllText(file)), schema))
            wrong.Add($"{file} is not what the program says");
    }

    private static string Schemas()
    {
        DirectoryInfo? d = new(AppContext.BaseDirectory);
        while (d is not null && !File.Exists(Path.Combine(d.FullName, "DaNas.Actors.sln")))
            d = d.Parent;
        return Path.Combine(d!.FullName, "docs", "schemas");
    }
}
