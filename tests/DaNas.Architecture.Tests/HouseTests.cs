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
        ["DaNas.Torch"] = ["DaNas.Domain", "DaNas.Evidence", "TorchSharp", "TorchSharp-cpu", "TorchSharp-cuda-linux", "SkiaSharp",
            "SkiaSharp.NativeAssets.Linux.NoDependencies"],
        ["DaNas.Runtime"] = ["DaNas.Actors", "DaNas.Evidence", "DaNas.Simulation", "DaNas.Torch", "Akka", "Akka.Analyzers",
            "Akka.Cluster.Hosting", "Akka.Persistence", "Akka.Persistence.Sql", "Microsoft.Data.Sqlite.Core", "Npgsql",
            "SQLitePCLRaw.bundle_e_sqlite3"],
        ["DaNas.Reports"] = ["DaNas.Runtime", "Google.Protobuf", "Grpc.Tools", "Vizor.ECharts"],
        ["DaNas.Drills"] = ["DaNas.Runtime"],
        ["DaNas.Cli"] = ["DaNas.Drills", "DaNas.Reports", "Spectre.Console", "System.CommandLine"],
    };

    [Fact]
    public void Projects_reference_only_what_the_house_allows()
    {
        IReadOnlyDictionary<string, string[]> references = Repository.References();
        references.Keys.Order().ShouldBe(Allowed.Keys.Order());
        Forbidden(references).ShouldBeEmpty();
    }

    [Fact]
    public void A_planted_reference_is_found()
    {
        Dictionary<string, string[]> planted = new(Repository.References()) { ["DaNas.Domain"] = ["DaNas.Actors"] };
        Forbidden(planted).ShouldBe(["DaNas.Domain -> DaNas.Actors"]);
    }

    [Fact]
    public void The_command_line_is_thin() => Repository.Sources("src/DaNas.Cli").Sum(f => File.ReadAllLines(f).Length)
        .ShouldBeLessThanOrEqualTo(3500);

    [Fact]
    public void Files_have_at_most_300_lines()
    {
        string[] long_ = [.. Repository.Sources("src").Concat(Repository.Sources("tests"))
            .Select(f => (File: Repository.Relative(f), Lines: File.ReadAllLines(f).Length)).Where(x => x.Lines > 300)
                .Select(x => $"{x.File}: {x.Lines}")];
        long_.ShouldBeEmpty();
    }

    [Fact]
    public void Lines_have_at_most_140_columns()
    {
        string[] wide = [.. Repository.Sources("src").Concat(Repository.Sources("tests"))
            .SelectMany(f => File.ReadLines(f).Select((l, i) => (At: $"{Repository.Relative(f)}:{i + 1}: {l.Length} columns", l.Length)))
            .Where(l => l.Length > 140).Select(l => l.At)];
        wide.ShouldBeEmpty();
    }

    [Fact]
    public void Methods_have_at_most_60_lines_and_five_parameters()
    {
        string[] wrong =
            [.. Repository.Sources("src").SelectMany(f => TooLarge(File.ReadAllText(f)).Select(w => $"{Repository.Relative(f)}: {w}"))];
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Planted_methods_that_are_too_large_are_found()
    {
        string six = "    public static void Six(\n        int a, Func<int, int> b, (int, int) c,\n        int d, int e, " +
            "int f)\n    {\n    }\n";
        TooLarge(six).ShouldBe(["Six has 6 parameters"]);
        TooLarge(six.Replace("int e, ", string.Empty, StringComparison.Ordinal)).ShouldBeEmpty();
        TooLarge("    private void Long()\n    {\n" + string.Concat(Enumerable.Repeat("        Do();\n", 60)) + "    }\n")
            .ShouldBe(["Long has 62 lines"]);
        TooLarge("public sealed class Six(int a, int b, int c, int d, int e, int f) : Base(a)\n{\n}\n").ShouldBe(["Six has 6 parameters"]);
    }

    [Fact]
    public void A_file_has_one_public_type_and_its_name()
    {
        string[] wrong = [.. Repository.Sources("src").Select(f => (File: Repository.Relative(f), Types: PublicTypes(File.ReadAllText(f))))
            .Where(x => Crowded(x.File, x.Types)).Select(x => $"{x.File}: {string.Join(", ", x.Types)}")];
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void A_planted_second_type_is_found()
    {
        string[] two = PublicTypes("namespace X;\n\npublic sealed record A(int B);\n\ninternal class C;\n\npublic readonly record struct " +
            "D<T>(T E)\n{\n    public enum F;\n}\n");
        two.ShouldBe(["A", "D"]);
        Crowded("X/A.cs", two).ShouldBeTrue();
        Crowded("X/AProtocol.cs", ["AProtocol", "D"]).ShouldBeFalse();
        Crowded("X/B.cs", ["A"]).ShouldBeTrue();
        Crowded("X/A.Part.cs", ["A"]).ShouldBeFalse();
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
            foreach (Match m in Regex.Matches(File.ReadAllText(file), @"(?<head>[^\n]*)class (?<name>\w+)[^\n]*: " +
                @"(LoggedActor|ReceiveActor|SealedPersistentActor|ReceivePersistentActor|UntypedActor)\b"))
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
        Repository.Sources("src").Concat(Repository.Sources("tests")).Where(f => banned.IsMatch(File.ReadAllText(f)))
            .Select(Repository.Relative).ShouldBeEmpty();
    }

    [Fact]
    public void Every_name_in_the_flow_table_exists()
    {
        string code = string.Concat(Repository.Sources("src").Select(File.ReadAllText));
        string[] rows = [.. File.ReadLines(Path.Combine(Repository.Root, "docs", "architecture.md"))
            .SkipWhile(l => !l.StartsWith("| # |", StringComparison.Ordinal)).Skip(2).TakeWhile(l => l.StartsWith('|'))];
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
        string changes = File.ReadAllText(Path.Combine(Repository.Root, "src", "DaNas.Actors", "Logging", "LogEvent.cs"));
        foreach (Match m in Regex.Matches(changes, @"^\s+(\w+) = (\d{3}),", RegexOptions.Multiline))
            docs.ShouldContain($"| {m.Groups[2].Value} | {m.Groups[1].Value} |");
    }

    [Fact]
    public void The_root_folder_holds_what_it_should_and_nothing_else()
    {
        string[] known = ["DaNas.Actors.sln", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "LICENSE",
            "CHANGELOG.md", "README.md", "global.json", ".editorconfig", ".gitignore", "src", "tests", "hocon", "deploy", "scripts", "docs",
            "artifacts", ".ci", ".git", ".vs"];
        Directory.EnumerateFileSystemEntries(Repository.Root).Select(e => Path.GetFileName(e)!).Except(known).ShouldBeEmpty();
    }

    private static string[] Forbidden(IReadOnlyDictionary<string, string[]> references) =>
        [.. references.SelectMany(r => r.Value.Except(Allowed[r.Key]).Select(to => $"{r.Key} -> {to}"))];

    private static IEnumerable<string> TooLarge(string text)
    {
        foreach (Match head in Method().Matches(text).Concat(PrimaryConstructor().Matches(text)))
        {
            string name = head.Groups["name"].Value;
            if (head.Value.Contains(" record ", StringComparison.Ordinal))
                continue;
            int parameters = Parameters(head.Groups["parameters"].Value);
            bool chosen = !head.Value.Contains(" override ", StringComparison.Ordinal) && name != "ActorOf"; // Akka asks for its eight.
            if (parameters > 5 && chosen)
                yield return $"{name} has {parameters} parameters";
            string rest = text[(head.Index + head.Length)..];
            if (!rest.StartsWith($"\n{head.Groups["indent"].Value}{{\n", StringComparison.Ordinal) || !head.Groups["indent"].Success)
                continue;
            int lines = rest[..rest.IndexOf($"\n{head.Groups["indent"].Value}}}", StringComparison.Ordinal)].Count(c => c == '\n') + 1;
            if (lines > 60)
                yield return $"{name} has {lines} lines";
        }
    }

    private static string[] PublicTypes(string text) => [.. PublicType().Matches(text).Select(m => m.Groups["name"].Value).Distinct()];

    /// <summary>
    /// A file holds one public type of its name. The messages of a protocol share its file, and so do the options of one section.
    /// </summary>
    private static bool Crowded(string file, string[] types)
    {
        string name = Path.GetFileName(file).Split('.')[0];
        return types.Length > 0 && (!types.Contains(name)
            || (types.Length > 1 && !name.EndsWith("Protocol", StringComparison.Ordinal)
                && !name.EndsWith("Options", StringComparison.Ordinal)));
    }

    /// <summary>Parameters of a list, without the commas inside of type arguments and tuples.</summary>
    private static int Parameters(string list)
    {
        string flat = list;
        while (Regex.Replace(flat, @"<[^<>]*>|\([^()]*\)|\[[^\[\]]*\]", string.Empty) is var next && next != flat)
            flat = next;
        return flat.Trim().Length == 0 ? 0 : flat.Split(',').Length;
    }

    [GeneratedRegex(@"^(?<indent> +)(public|private|internal|protected)[\w<>\[\],?\. ()]* (?<name>\w+)(<[\w, " +
        @"]+>)?\((?<parameters>(?>[^()]|\([^()]*\))*)\)(?=\s*(\n *\{|=>|where))", RegexOptions.Multiline)]
    private static partial Regex Method();

    [GeneratedRegex(@"^ *(public|internal|private|file)( sealed| static| abstract| partial| readonly| ref)* (class|struct) " +
        @"(?<name>\w+)(<[\w, ]+>)?\((?<parameters>(?>[^()]|\([^()]*\))*)\)", RegexOptions.Multiline)]
    private static partial Regex PrimaryConstructor();

    [GeneratedRegex(@"^public( sealed| static| abstract| partial| readonly| ref)* (class|record " +
        @"struct|record|struct|interface|enum|delegate( [\w<>\[\],?]+)) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex PublicType();
}
