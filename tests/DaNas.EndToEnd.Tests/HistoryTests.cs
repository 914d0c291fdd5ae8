using System.Formats.Tar;
using System.IO.Compression;

namespace DaNas.EndToEnd.Tests;

/// <summary>
/// Torch searches that version 0.2 left unfinished on libtorch 1.13 with each of its hosts (tests/Histories): the new numerics are refused,
/// or accepted and recorded, and the search ends.
/// </summary>
public sealed class HistoryTests : IDisposable
{
    private const int StoredEvents = 27;
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Theory]
    [InlineData("v0.2-embedded-torch")]
    [InlineData("v0.2-akka-torch")]
    public void A_search_of_version_0_2_is_refused_with_both_profiles_and_ends_when_the_new_one_is_accepted(string history)
    {
        using (GZipStream packed = new(File.OpenRead(Path.Combine(Source(), "..", "Histories", $"{history}.tar.gz")),
            CompressionMode.Decompress))
            TarFile.ExtractToDirectory(packed, Directory.CreateDirectory(Path.Combine(danas.Folder, "out")).FullName, true);
        string[] before = danas.Events("era");
        before.Length.ShouldBe(StoredEvents);
        (int code, _, string error) = danas.Run("resume", "era");
        code.ShouldBe(2);
        error.ShouldContain("native libtorch 1.13");
        error.ShouldContain("TorchSharp 0.107");
        (code, string text, error) = danas.Run("resume", "era", "--accept", "--json");
        code.ShouldBe(0, error);
        Danas.LastLine(text).GetProperty("status").GetString().ShouldBe("completed");
        string[] after = danas.Events("era");
        after[..StoredEvents].ShouldBe(before);
        after[StoredEvents..].ShouldContain(e => e.Contains("TorchSharp 0.107", StringComparison.Ordinal));
        (code, text, error) = danas.Run("journal", "verify");
        code.ShouldBe(0, error);
        text.ShouldContain("chain, head and decisions are intact");
    }

    private static string Source([System.Runtime.CompilerServices.CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
