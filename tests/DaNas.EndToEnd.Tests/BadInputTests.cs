using System.Diagnostics;
using DaNas.Cli.Presentation;
using DaNas.Runtime.Processes;

namespace DaNas.EndToEnd.Tests;

/// <summary>What a user gets wrong: one clear line each, the right exit code, nothing lost, never a stack trace.</summary>
public sealed class BadInputTests : IDisposable
{
    internal const string OnePixelPng = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Theory]
    [InlineData("broken HOCON", "a = {", "'}' is missing", 2)]
    [InlineData("an unclosed quote", "include \"spaces/cpu-base.conf\"\nsearch.name = \"x", "closing quote", 2)]
    [InlineData("an unknown key", "include \"spaces/cpu-base.conf\"\nprune.ration = 0.4", "did you mean prune.ratio?", 2)]
    [InlineData("a wrong type", "include \"spaces/cpu-base.conf\"\nweights.batch = lots", "weights.batch = lots", 2)]
    [InlineData("an impossible value", "include \"spaces/cpu-base.conf\"\nprune.ratio = 7", "prune.ratio = 7", 2)]
    [InlineData("no space", "search.name = x", "space", 2)]
    [InlineData("a missing include", "include \"spaces/none.conf\"", "spaces/none.conf", 2)]
    [InlineData("too few classes", "include \"spaces/cpu-base.conf\"\ndata.drawn.classes = 2", "data.drawn.classes = 2", 2)]
    [InlineData("an undefined substitution", "include \"spaces/cpu-base.conf\"\nsearch.name = ${NO_SUCH_THING_HERE}",
        "NO_SUCH_THING_HERE", 2)]
    public void A_configuration_with(string mistake, string text, string said, int code)
    {
        string file = Path.Combine(danas.Folder, "bad.conf");
        File.WriteAllText(file, text);
        Expect(danas.Run("run", file), code, said, mistake);
    }

    [Theory]
    [InlineData("a missing file", "nowhere.conf does not exist", "run", "nowhere.conf")]
    [InlineData("a missing data set", "--data", "run", "cifar10", "--data", "/no/such/folder")]
    [InlineData("a search that is not there", "there is no search 'abc'", "resume", "abc")]
    [InlineData("an unknown verb", "'danas --help'", "fly")]
    [InlineData("an unknown option", "--speed", "run", "quickstart", "--speed", "9")]
    [InlineData("a malformed --set", "--set seed", "run", "quickstart", "--set", "seed")]
    [InlineData("a path as id", "--id ../x", "run", "quickstart", "--id", "../x")]
    [InlineData("an unwritable folder", "cannot write to", "run", "quickstart", "--out", "/proc/danas")]
    [InlineData("a file as folder", "cannot write to", "run", "quickstart", "--out", "/etc/hostname/x")]
    public void A_command_line_with(string mistake, string said, params string[] arguments) =>
        Expect(danas.Run(arguments), 2, said, mistake);

    [Theory]
    [InlineData("ulimit -n 64; exec \"$0\" ls", 2, "can open 64 files but needs 256")]
    [InlineData("exec \"$0\" data list > /dev/full", 1, "cannot write to standard output: No space left on device")]
    public void A_machine_that_has_too_little_is_told_of_in_one_line(string script, int code, string said)
    {
        using Process shell = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", script, Path.Combine(AppContext.BaseDirectory,
            "danas")])
        { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = danas.Folder })!;
        string error = shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        shell.ExitCode.ShouldBe(code, error);
        error.TrimEnd().Split('\n').ShouldHaveSingleItem().ShouldContain(said);
    }

    [Fact]
    public void A_truncated_picture_is_named_by_data_check_and_ends_a_search_with_its_name()
    {
        string data = Images();
        string broken = Path.Combine(data, "train", "b", "3.png");
        File.WriteAllBytes(broken, File.ReadAllBytes(broken)[..30]);
        Expect(danas.Run("data", "check", data), 1, broken, "data check", onStandardOutput: true);
        (int code, _, string error) = danas.Run(["run", .. Danas.Tiny, "--set", "curriculum.minimum-classes=2", "--set",
            "trainers.attempts=1", "--data", data, "--id", "broken"]);
        code.ShouldBe(1, error);
        error.ShouldContain("3.png is broken");
        NoTrace(error);
        danas.Run("ls").Output.ShouldContain("failed");
    }

    [Fact]
    public void An_empty_class_and_a_missing_class_are_refused_before_anything_runs()
    {
        string data = Images();
        string empty = Directory.CreateDirectory(Path.Combine(data, "train", "z")).FullName;
        Expect(danas.Run("run", "cifar10", "--data", data), 2, empty, "an empty class");
        Directory.Delete(empty);
        Directory.Delete(Path.Combine(data, "test", "b"), true);
        Expect(danas.Run("run", "cifar10", "--data", data), 2, Path.Combine(data, "test", "b"), "a missing class");
    }

    [Fact]
    public void A_foreign_journal_file_is_left_alone()
    {
        string target = Directory.CreateDirectory(Path.Combine(danas.Folder, "foreign")).FullName;
        string journal = Path.Combine(target, "journal.db");
        File.WriteAllText(journal, new string('x', 5000));
        Expect(danas.Run(["run", .. Danas.Tiny, "--out", target]), 2, journal, "a foreign journal");
        File.ReadAllText(journal).ShouldBe(new string('x', 5000));
    }

    [Fact]
    public void A_second_run_of_the_same_search_is_refused_while_it_runs_and_afterwards()
    {
        using Process first = danas.Start(["run", .. Danas.Tiny, "--id", "same"]);
        string log = Path.Combine(danas.Folder, "out", "searches", "same", "log.jsonl");
        while (!first.HasExited && !(File.Exists(log) && new FileInfo(log).Length > 3000))
            first.WaitForExit(50);
        Expect(danas.Run("resume", "same"), 2, $"is running in process {first.Id}", "a second owner");
        using (Process.Start("kill", ["-STOP", first.Id.ToString()]))
            first.WaitForExit(300);
        Expect(danas.Run("resume", "same"), 2, "which is suspended", "a stopped owner");
        first.Kill(true);
        first.WaitForExit();
        Expect(danas.Run(["run", .. Danas.Tiny, "--id", "same"]), 2, "already exists", "a second run");
    }

    private static void Expect((int Code, string Output, string Error) result, int code, string said, string mistake,
        bool onStandardOutput = false)
    {
        (onStandardOutput ? result.Output : result.Error).ShouldContain(said, Case.Sensitive, mistake);
        result.Code.ShouldBe(code, $"{mistake}: {result.Error}");
        NoTrace(result.Error);
        result.Error.TrimEnd().Split('\n').Length.ShouldBeLessThanOrEqualTo(3, mistake);
    }

    private static void NoTrace(string error)
    {
        error.ShouldNotContain("   at ");
        error.ShouldNotContain("Unhandled exception");
    }

    private string Images()
    {
        string data = Path.Combine(danas.Folder, "images");
        foreach (string split in new[] { "train", "test" })
        {
            foreach (string c in new[] { "a", "b", "c" })
            {
                string target = Directory.CreateDirectory(Path.Combine(data, split, c)).FullName;
                for (int i = 0; i < 8; i++)
                    File.WriteAllBytes(Path.Combine(target, $"{i}.png"), Convert.FromBase64String(OnePixelPng));
            }
        }

        return data;
    }
}
