using System.Text.RegularExpressions;

namespace DaNas.Architecture.Tests;

/// <summary>The rules of the house (docs/architecture.md), held by the compiler where it can and by these tests where it cannot.</summary>
public sealed partial class HouseTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["DaNas.Domain"] = [],
        ["DaNas.Evidence"] = ["DaNas.Domain", "MathNet.Numerics"],
        ["DaNas.Actors"] = ["DaNas.Domain", "Akka", "Akka.Analyzers", "Akka.Persistence"],
        ["DaNas.SimulationKit"] = ["Akka", "Akka.Analyzers", "Akka.Persistence"],
        ["DaNas.Simulation"] = ["DaNas.Actors", "DaNas.Evidence", "DaNas.SimulationKit"],
        ["DaNas.Torch"] = ["DaNas.Domain", "DaNas.Evidence", "TorchSharp", "TorchSharp-cpu", "TorchSharp-cuda-linux", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies"],
        ["DaNas.Runtime"] = ["DaNas.Actors", "DaNas.Evidence", "DaNas.Simulation", "DaNas.Torch", "Akka", "Akka.Analyzers", "Akka.Cluster.Hosting", "Akka.Persistence", "Akka.Persistence.Sql", "Microsoft.Data.Sqlite.Core", "Npgsql", "SQLitePCLRaw.bundle_e_sqlite3"],
        ["DaNas.Reports"] = ["DaNas.Runtime", "Google.Protobuf", "Grpc.Tools", "Vizor.ECharts"],
        ["DaNas.Drills"] = ["DaNas.Runtime"],
        ["DaNas.Cli"] = ["DaNas.Drills", "DaNas.Reports", "Spectre.Console", "System.CommandLine"],
    };

    [Fact]
    public void Projects_reference_only_what_the_house_allows()
    {
        IReadOnlyDictionary<string, string[]> references = Repository.References();
        references.Keys.Order().ShouldBe(Allowed.Keys.Order());
        foreach ((string project, string[] found) in references)
            found.Except(Allowed[project]).ShouldBeEmpty(project);
    }

    [Fact]
    public void The_command_line_is_thin() => Repository.Sources("src/DaNas.Cli").Sum(f => File.ReadAllLines(f).Length).ShouldBeLessThanOrEqualTo(3500);

    [Fact]
    public void Files_have_at_most_300_lines()
    {
        string[] long_ = [.. Repository.Sources("src").Concat(Repository.Sources("tests"))
            .Select(f => (File: Repository.Relative(f), Lines: File.ReadAllLines(f).Length)).Where(x => x.Lines > 300).Select(x => $"{x.File}: {x.Lines}")];
        long_.ShouldBeEmpty();
    }

    [Fact]
    public void Methods_have_at_most_60_lines_and_five_parameters()
    {
        List<string> wrong = [];
        foreach (string file in Repository.Sources("src"))
        {
            string[] lines = File.ReadAllLines(file);
            for (int i = 0; i < lines.Length; i++)
            {
                Match head = Method().Match(lines[i]);
                if (!head.Success || lines[i].Contains(" record ", StringComparison.Ordinal) || lines[i].Contains(" override ", StringComparison.Ordinal))
                    continue;
                int end = Array.FindIndex(lines, i + 1, l => l == head.Groups["indent"].Value + "}");
                bool block = i + 1 < lines.Length && lines[i + 1].Trim() == "{";
                if (block && end - i > 60)
                    wrong.Add($"{Repository.Relative(file)}:{i + 1}: {end - i} lines");
                if (Parameters(head) > 5)
                    wrong.Add($"{Repository.Relative(file)}:{i + 1}: {Parameters(head)} parameters");
            }
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Names_that_say_nothing_are_not_used()
    {
        Regex banned = new(@"\b(class|record|struct|interface)\s+\w*(Manager|Helper|Util|Utils|Service|Processor)\b");
        Repository.Sources("src").Where(f => banned.IsMatch(File.ReadAllText(f))).Select(Repository.Relative).ShouldBeEmpty();
    }

    [Fact]
    public void Actors_are_sealed_and_named_so()
    {
        foreach (string file in Repository.Sources("src/DaNas.Actors"))
        {
            foreach (Match m in Regex.Matches(File.ReadAllText(file), @"(?<head>[^\n]*)class (?<name>\w+)[^\n]*: (LoggedActor|ReceiveActor|SealedPersistentActor|ReceivePersistentActor|UntypedActor)\b"))
            {
                m.Groups["name"].Value.ShouldEndWith("Actor");
                if (!m.Groups["head"].Value.Contains("abstract", StringComparison.Ordinal))
                    m.Groups["head"].Value.ShouldContain("sealed");
            }
        }
    }

    [Fact]
    public void No_unfinished_work_and_no_sleeping_stands_in_the_code()
    {
        Regex banned = new("TO" + "DO|FIX" + "ME|NotImplemented" + "Exception|Thread\\.Sle" + "ep");
        Repository.Sources("src").Concat(Repository.Sources("tests")).Where(f => banned.IsMatch(File.ReadAllText(f))).Select(Repository.Relative).ShouldBeEmpty();
    }

    [Fact]
    public void Every_name_in_the_flow_table_exists()
    {
        string code = string.Concat(Repository.Sources("src").Select(File.ReadAllText));
        string[] rows = [.. File.ReadLines(Path.Combine(Repository.Root, "docs", "architecture.md")).SkipWhile(l => !l.StartsWith("| # |", StringComparison.Ordinal)).Skip(2).TakeWhile(l => l.StartsWith('|'))];
        rows.Length.ShouldBeGreaterThanOrEqualTo(9);
        foreach (Match name in rows.SelectMany(r => Regex.Matches(r, "`([A-Za-z.]+)`")))
        {
            string last = name.Groups[1].Value.Split('.')[^1];
            Regex.IsMatch(code, $@"\b{last}\b").ShouldBeTrue($"{name.Value} stands in docs/architecture.md and not in the code");
        }

        foreach (Match folder in rows.SelectMany(r => Regex.Matches(r, "`([A-Za-z]+)/`")))
            Directory.Exists(Path.Combine(Repository.Root, "src", "DaNas.Domain", folder.Groups[1].Value)).ShouldBeTrue(folder.Value);
    }

    [Fact]
    public void Every_log_event_is_documented()
    {
        string docs = File.ReadAllText(Path.Combine(Repository.Root, "docs", "logging.md"));
        string changes = File.ReadAllText(Path.Combine(Repository.Root, "src", "DaNas.Actors", "Logging", "StateChange.cs"));
        foreach (Match m in Regex.Matches(changes, @"^\s+(\w+) = (\d{3}),", RegexOptions.Multiline))
            docs.ShouldContain($"| {m.Groups[2].Value} | {m.Groups[1].Value} |");
    }

    [Fact]
    public void The_root_folder_holds_what_it_should_and_nothing_else()
    {
        string[] known = ["DaNas.Actors.sln", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "LICENSE", "CHANGELOG.md", "README.md", "global.json", ".editorconfig", ".gitignore", "src", "tests", "hocon", "deploy", "scripts", "docs", "artifacts", ".ci", ".git", ".vs"];
        Directory.EnumerateFileSystemEntries(Repository.Root).Select(e => Path.GetFileName(e)!).Except(known).ShouldBeEmpty();
    }

    private static int Parameters(Match head) => Regex.Replace(head.Groups["parameters"].Value, @"<[^<>]*(<[^<>]*>[^<>]*)*>|\([^()]*\)", string.Empty).Split(", ").Length;

    [GeneratedRegex(@"^(?<indent> +)(public|private|internal|protected)[\w<>\[\],?\. ()]* \w+(<\w+>)?\((?<parameters>[^)]*)\)( =>)?$")]
    private static partial Regex Method();
}
