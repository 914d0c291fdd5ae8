using System.Text.RegularExpressions;

namespace DaNas.Architecture.Tests;

/// <summary>The checkout that the tests were built from, read as text.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal)
            && !f.Contains("/artifacts/", StringComparison.Ordinal));

    public static string Relative(string file) => Path.GetRelativePath(Root, file);

    /// <summary>Projects under src and what each references, by name.</summary>
    public static IReadOnlyDictionary<string, string[]> References() =>
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .ToDictionary(f => Path.GetFileNameWithoutExtension(f),
            f => Regex.Matches(File.ReadAllText(f), "(?:ProjectReference|PackageReference) Include=\"([^\"]+)\"")
            .Select(m => Path.GetFileNameWithoutExtension(m.Groups[1].Value) is var n
                && m.Groups[1].Value.EndsWith(".csproj", StringComparison.Ordinal) ? n : m.Groups[1].Value).ToArray());

    private static string Find()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            if (File.Exists(Path.Combine(d.FullName, "DaNas.Actors.sln")))
                return d.FullName;
        }

        throw new DirectoryNotFoundException("the tests do not run inside a checkout");
    }
}
