using System.Diagnostics;
using DaNas.Runtime.Processes;

namespace DaNas.EndToEnd.Tests;

/// <summary>
/// A data set, a machine and habits as people have them: odd names, files that are no images, a relative path, a terminal that goes away, a
/// journal copied in part.
/// </summary>
public sealed class RealDataTests : IDisposable
{
    private static readonly string[] Classes = ["cat \U0001F600", "dog", "\U00020BB7", "a 'b' \"c\" <d>\n&"];
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Fact]
    public async Task A_search_over_odd_folders_says_what_is_left_out_ends_with_its_terminal_and_goes_on_from_anywhere()
    {
        string conf = Configuration();
        using (Process run = danas.Start("run", conf, "--id", "real"))
        {
            Task<string> output = run.StandardOutput.ReadToEndAsync(), error = run.StandardError.ReadToEndAsync();
            danas.WaitFor("real", "\"id\":101,", 3, run);
            Send(run, "HUP");
            Send(run, "HUP"); // As a shell and then the kernel do.
            run.WaitForExit(TimeSpan.FromMinutes(1)).ShouldBeTrue();
            string notes = await error;
            run.ExitCode.ShouldBe(75, notes);
            (await output + notes).ShouldContain("danas resume real");
            notes.ShouldContain("note: images: files are ignored because .tif is not a supported image format (jpg, " +
                "png, webp, bmp, gif): 2, " +
                "such as train/dog/a.tif");
            notes.ShouldContain("hidden files and folders are ignored: 1, such as train/.ipynb_checkpoints");
        }

        File.ReadAllText(Path.Combine(danas.Folder, "out", "searches", "real", "log.jsonl"))
            .ShouldContain("\"event\":\"DatasetPartlyRead\"");
        danas.StartedIn = Directory.CreateDirectory(Path.Combine(danas.Folder, "elsewhere")).FullName;
        (int code, _, string said) = danas.Run("resume", "real");
        code.ShouldBe(0, said);
        string to = Path.Combine(danas.Folder, "export");
        danas.Run("export", "real", "--to", to).Code.ShouldBe(0);
        // As Python writes it: JSON's pair of surrogates would be two characters there.
        File.ReadLines(Path.Combine(to, "model.py")).First(l => l.StartsWith("CLASSES", StringComparison.Ordinal)).ShouldBe(
            "CLASSES = [\"a \\u0027b\\u0027 \\u0022c\\u0022 \\u003Cd\\u003E\\n\\u0026\",\"cat \\U0001F600\",\"dog\",\"\\U00020BB7\"]");
    }

    [Fact]
    public void A_search_whose_events_are_gone_is_named_by_ls()
    {
        using (Process run = danas.Start("run", "drill", "--id", "gone", "--set", "trainers.count=1"))
        {
            danas.WaitFor("gone", "\"id\":101,", 3, run);
            run.Kill(true);
            run.WaitForExit();
        }

        foreach (string file in Directory.EnumerateFiles(Path.Combine(danas.Folder, "out"), "journal.db*"))
            File.Delete(file);
        (int code, string output, string error) = danas.Run("ls");
        code.ShouldBe(0);
        error.ShouldContain("gone: it had acknowledged events, but ");
        output.ShouldNotContain("no searches");
    }

    /// <summary>The start under nohup: SIGHUP is ignored there, and stays so.</summary>
    [Fact]
    public async Task A_search_under_nohup_outlives_its_terminal()
    {
        using Process run = Process.Start(new ProcessStartInfo("nohup", [Path.Combine(
            AppContext.BaseDirectory, "danas"), "run", "drill", "--id", "nohup", "--out", Path.Combine(
            danas.Folder, "out")])
        { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = danas.Folder })!;
        Task<string> output = run.StandardOutput.ReadToEndAsync(), error = run.StandardError.ReadToEndAsync();
        danas.WaitFor("nohup", "\"id\":101,", 3, run);
        Send(run, "HUP");
        run.WaitForExit(TimeSpan.FromMinutes(3)).ShouldBeTrue();
        run.ExitCode.ShouldBe(0, await error + await output);
    }

    private static void Send(Process to, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", to.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private string Configuration()
    {
        foreach (string c in Classes)
        {
            foreach (string split in (string[])["train", "valid"])
            {
                string folder = Directory.CreateDirectory(Path.Combine(danas.Folder, "images", split, c)).FullName;
                for (int i = 0; i < 8; i++)
                    File.WriteAllBytes(Path.Combine(folder, $"{i}.png"), Convert.FromBase64String(BadInputTests.OnePixelPng));
            }
        }

        string train = Path.Combine(danas.Folder, "images", "train");
        Directory.CreateDirectory(Path.Combine(train, ".ipynb_checkpoints"));
        File.WriteAllText(Path.Combine(train, "dog", "a.tif"), "x");
        File.WriteAllText(Path.Combine(train, "dog", "b.tif"), "x");
        string conf = Path.Combine(danas.Folder, "mine.conf");
        File.WriteAllText(conf, "include \"searches/drill.conf\"\nsearch.name = ${search.name}-mine\ndata { kind = image-folder, path = " +
            "images }\nweights.batch = 8\narchitecture.batch = 8\nretrain.batch = 8\ntrainers.count = 1\n");
        return "mine.conf";
    }
}
