using System.Diagnostics;
using System.Text.Json;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace DaNas.EndToEnd.Tests;

/// <summary>The built executable, run as a user runs it, with an output folder of its own.</summary>
public sealed class Danas : IDisposable
{
    /// <summary>A whole search of a few seconds: 6 drawn classes of 12 x 12, units of well under a second, two trainers.</summary>
    public static readonly string[] Tiny =
    [
        "quickstart", "--set", "data.drawn.classes=6", "--set", "data.drawn.train-per-class=24", "--set", "data.drawn.test-per-class=8", "--set", "space.resolution=12",
        "--set", "weights.batch=16", "--set", "architecture.batch=16", "--set", "rounds.steps=2", "--set", "difficulty.steps-per-point=4", "--set", "difficulty.points=2",
        "--set", "derivation.images=24", "--set", "derivation.recalibration-batches=1", "--set", "derivation.candidates=2", "--set", "retrain.epochs=1", "--set", "retrain.segment-steps=4",
        "--set", "retrain.batch=16", "--set", "stage.epochs=2", "--set", "warmup.epochs=2", "--set", "controls.count=1",
    ];

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public string Folder { get; } = Directory.CreateTempSubdirectory("danas-e2e-").FullName;

    private static string Executable => Path.Combine(AppContext.BaseDirectory, "danas");

    public void Dispose()
    {
        try
        {
            Directory.Delete(Folder, true);
        }
        catch (IOException)
        {
            // A killed trainer may still hold a file for a moment; the folder is a temporary one.
        }
    }

    public Process Start(params string[] arguments)
    {
        ProcessStartInfo info = new(Executable) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder };
        foreach (string a in arguments)
            info.ArgumentList.Add(a);
        info.Environment["DANAS_OUT"] = Path.Combine(Folder, "out");
        return Process.Start(info)!;
    }

    public (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(true);
            throw new TimeoutException($"danas {string.Join(' ', arguments)} did not end");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    /// <summary>The last line as JSON.</summary>
    public static JsonElement LastLine(string output) => JsonDocument.Parse(output.TrimEnd().Split('\n')[^1]).RootElement.Clone();

    /// <summary>All rows of a search's journal as text, in order.</summary>
    public string[] Events(string id)
    {
        (int code, string output, string error) = Run("events", id, "--json");
        code.ShouldBe(0, error);
        return output.TrimEnd().Split('\n');
    }
}
