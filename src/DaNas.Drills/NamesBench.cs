using System.Text.Json.Serialization;
using System.Diagnostics;
using System.Text.Json;
using DaNas.Runtime.Processes;

namespace DaNas.Drills;

/// <summary>
/// What 'danas data check --headers' takes for a tree of ImageNet's size with what such trees have in them; <paramref name="Broken"/> of
/// <paramref name="BrokenPlanted"/> images were named.
/// </summary>
internal sealed record NamesResult(int Files, [property: JsonPropertyName("pictures")] int Images,
    [property: JsonPropertyName("picturesPlanted")] int ImagesPlanted, int Broken, int BrokenPlanted, IReadOnlyList<string> Remarks,
    double WriteSeconds, double CheckSeconds, double PeakMegabytes)
{
    public bool IsRight => Images == ImagesPlanted && Broken == BrokenPlanted;
}

/// <summary>A tree of the names of ImageNet, and the time that a check of it takes.</summary>
internal static class NamesBench
{
    /// <summary>8 x 8 grey, baseline.</summary>
    private const string Jpeg =
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAj/wAARCAAI" +
        "AAgDAREAAhEAAxEA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACAAMAAD8AwwH/2Q==";

    /// <summary>8 x 8, four components.</summary>
    private const string Cmyk = "/9j/2wBDAAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAj/wAAUCAAI" +
        "AAgEAREAAhEAAxEABBEA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EAQACAAMABAAAPwD1d5s82fP7/9k=";

    private const string Gif = "R0lGODlhAQABAIAAAAoUHshkMiwAAAAAAQABAAACAkQBACwAAAAAAQABAAACAkwBADs=";

    /// <summary>8 x 8, interlaced.</summary>
    private const string Png =
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAAE8ahlKAAAA2klEQVR42gHPADD/AAD/AABAvwAABPsARLsQACDfAGCfAAAk2whkmxgAAv0AIt0EQr0IYp0MAAb5ACbZ" +
        "DEa5GGaZJAAQ7wAwzwBQrwBwjwAAEu0CMs0GUq0Kco0OABTrBDTLDFSrFHSLHAAW6QY2yRJWqR52iSoAAf4AEe4BId4CMc4DQb4EUa4FYZ4GcY4HAAP8ABPsAyPcBjPM" +
        "CUO8DFOsD2OcEnOMFQAF+gAV6gUl2go1yg9FuhRVqhllmh51iiMAB/gAF+gHJ9gON8gVR7gcV6gjZ5gqd4gxJYxC0dSMdloAAAAASUVORK5CYII=";

    /// <summary>Writes the tree into a folder, and checks it with this program in a process of its own.</summary>
    public static NamesResult Run(string folder, int classes, int each)
    {
        Stopwatch writing = Stopwatch.StartNew();
        int broken = 0, files = 0, images = 0;
        byte[] jpeg = Convert.FromBase64String(Jpeg), cmyk = Convert.FromBase64String(Cmyk), gif = Convert.FromBase64String(Gif),
            png = Convert.FromBase64String(Png), html = "<!doctype html><p>404</p>"u8.ToArray();
        Parallel.For(0, classes, c =>
        {
            int bad = 0, all = 0;
            foreach ((string split, int count) in new[] { ("train", each), ("val", 50) })
            {
                string of = Path.Combine(folder, split, Invariant($"n{c + 1_000_000:00000000}"));
                string home = c % 10 == 3 ? Path.Combine(of, "images") : of; // As tiny-imagenet has them.
                Directory.CreateDirectory(home);
                for (int i = 0; i < count; i++)
                {
                    int kind = (c * each) + i;
                    bool wrong = kind % 2003 == 0;
                    bad += wrong ? 1 : 0;
                    File.WriteAllBytes(Path.Combine(home, Invariant($"n{c + 1_000_000:00000000}_{i}.JPEG")), wrong ? html : kind % 97 == 0
                        ? cmyk : kind % 89 == 0 ? png : kind % 83 == 0 ? gif : jpeg);
                }

                Directory.CreateDirectory(Path.Combine(of, ".ipynb_checkpoints"));
                File.WriteAllBytes(Path.Combine(of, ".ipynb_checkpoints", "a.jpg"), jpeg);
                File.WriteAllBytes(Path.Combine(of, "._a.jpg"), html);
                File.WriteAllBytes(Path.Combine(of, "Thumbs.db"), html);
                all += count;
            }

            Interlocked.Add(ref broken, bad);
            Interlocked.Add(ref images, all);
            Interlocked.Add(ref files, all + 6);
        });
        double written = writing.Elapsed.TotalSeconds;
        Stopwatch checking = Stopwatch.StartNew();
        ProcessStartInfo start = ThisProgram.Start(["data", "check", folder, "--headers", "--json"]);
        start.RedirectStandardError = false;
        using Process check = Process.Start(start)!;
        Task<string> output = check.StandardOutput.ReadToEndAsync();
        double peak = 0;
        while (!check.WaitForExit(20))
            peak = Math.Max(peak, PeakMegabytes(check.Id));
        double seconds = checking.Elapsed.TotalSeconds;
        JsonElement found = JsonDocument.Parse(output.GetAwaiter().GetResult()).RootElement;
        return new(
            files, found.GetProperty("train").GetInt32() + found.GetProperty("test").GetInt32(), images, found.GetProperty("broken")
                .GetArrayLength(), broken,
            [.. found.GetProperty("remarks").EnumerateArray().Select(r => r.GetString()!)], Math.Round(written, 1),
                Math.Round(seconds, 1), Math.Round(peak));
    }

    private static double PeakMegabytes(int pid)
    {
        try
        {
            string line = File.ReadLines($"/proc/{pid}/status")
                .FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) ?? "VmHWM: 0 kB";
            return double.Parse(line[6..].Replace("kB", string.Empty, StringComparison.Ordinal),
                System.Globalization.CultureInfo.InvariantCulture) / 1024;
        }
        catch (IOException)
        {
            return 0; // It has just ended.
        }
    }
}
