using System.Text.RegularExpressions;

namespace DaNas.Architecture.Tests;

/// <summary>
/// Folders of a project refer to each other in one direction (docs/adr/0006). Read from the source: a folder is a namespace, and a file
/// names another folder where it imports it or writes it before a type.
/// </summary>
public sealed class FolderTests
{
    /// <summary>Arrows that are part of a circle, where circles are left; the numbers may only become smaller.</summary>
    private static readonly Dictionary<string, int> Left = new() { ["DaNas.Actors"] = 12, ["DaNas.Domain"] = 52 };

    [Fact]
    public void Folders_have_no_circles_but_those_that_are_counted()
    {
        foreach (string project in Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src")).Select(d => Path.GetFileName(d)!))
        {
            Dictionary<string, string> files = Repository.Sources($"src/{project}")
                .ToDictionary(f => Path.GetRelativePath(Path.Combine(Repository.Root, "src", project), f), File.ReadAllText);
            string[] circular = [.. Circular(project, files)];
            circular.Length.ShouldBe(Left.GetValueOrDefault(project), $"{project}: {string.Join(", ", circular)}");
        }
    }

    [Fact]
    public void A_planted_circle_is_found()
    {
        Dictionary<string, string> files = new()
        {
            ["A/X.cs"] = "using P.B;\nnamespace P.A;\nclass X;",
            ["B/Y.cs"] = "namespace P.B;\n// A.X is only spoken of.\nclass Y;",
            ["C/Z.cs"] = "namespace P.C;\nclass Z { Y y = B.Y.Of(A.X.One); }",
        };
        Circular("P", files).ShouldBeEmpty();
        files["B/Y.cs"] = "namespace P.B;\nclass Y { object x = new A.X(); }";
        Circular("P", files).ShouldBe(["A -> B", "B -> A"]);
        Dictionary<string, string> half = new()
        {
            ["A/X.cs"] = "namespace Q.P.A;\nclass X { P.B.Y y; }",
            ["B/Y.cs"] = "namespace Q.P.B;\nclass Y { object x = new A.X(); }"
        };
        Circular("Q.P", half).ShouldBe(["A -> B", "B -> A"]);
        files["B/Y.cs"] = "using P.C;\nnamespace P.B;\nclass Y;";
        Circular("P", files).ShouldBe(["B -> C", "C -> A", "C -> B", "A -> B"], ignoreOrder: true);
    }

    /// <summary>The arrows between folders that can be walked back.</summary>
    private static IEnumerable<string> Circular(string project, Dictionary<string, string> files)
    {
        string[] folders = [.. files.Keys.Where(f => f.Contains('/', StringComparison.Ordinal)).Select(f => f.Split('/')[0]).Distinct()
            .Order(StringComparer.Ordinal)];
        ILookup<string, string> arrows = files
            .SelectMany(f => folders.Where(to => f.Key.Split('/')[0] is var from && from != to && folders.Contains(from)
                && Names(f.Value, project, to)).Select(to => (From: f.Key.Split('/')[0], To: to)))
            .Distinct().ToLookup(a => a.From, a => a.To);
        return [.. from folder in folders from to in arrows[folder].Order(StringComparer.Ordinal) where Reached(to).Contains(folder)
            select $"{folder} -> {to}"];

        HashSet<string> Reached(string from)
        {
            HashSet<string> seen = [];
            Queue<string> next = new(arrows[from]);
            while (next.TryDequeue(out string? folder))
            {
                if (seen.Add(folder))
                    arrows[folder].ToList().ForEach(next.Enqueue);
            }

            return seen;
        }
    }

    private static bool Names(string text, string project, string folder) =>
        text.Split('\n').Where(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal))
        .Any(l => Regex.IsMatch(
            l, $@"\b{Regex.Escape(project)}\.{folder}\b|(?<![\w.])({project.Split('.')[^1]}\.)?{folder}\.(?=[A-Z]\w*\W)"));
}
