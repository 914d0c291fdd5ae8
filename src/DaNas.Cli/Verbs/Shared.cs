using System.CommandLine;
using DaNas.Actors.Journals;
using DaNas.Cli.Presentation;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>Options that several verbs have.</summary>
internal static class Shared
{
    /// <summary>An option without a default.</summary>
    public static Option<T> Option<T>(string name, string description) => new(name) { Description = description };

    /// <summary>An option with a default.</summary>
    public static Option<T> Option<T>(string name, T value, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    public static Argument<T> Argument<T>(string name, string description) => new(name) { Description = description };

    public static Argument<T> Argument<T>(string name, T value, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    public static Argument<string> Conf() => Argument<string>("CONF", "Path to a search configuration file (.conf), or the name of a " +
        "bundled one (quickstart, fashion-mnist, cifar10, imagenet20, imagenet).");

    public static Argument<string> Id() => new("ID") { Description = "Search ID, or a unique prefix of it." };

    public static Option<string[]> Set() =>
        Option<string[]>("--set", "Overrides one configuration key, for example --set search.seed=7. Can be repeated.");

    public static Option<string?> Data() =>
        Option<string?>("--data", "Path to the data set: a folder (ImageFolder, IDX, CIFAR binary) or a catalogue file.");

    public static Option<string?> Out() => Option<string?>("--out",
        "Folder for the journal, blobs and results (default: DANAS_OUT if set, otherwise the user's data folder).");

    public static Option<bool> Json() => Option<bool>("--json", "Prints the result as JSON.");

    public static OutputFolder Folder(ParseResult parsed, Option<string?> option) => new(parsed.GetValue(option));

    /// <summary>Runs a verb; a user's mistake becomes one line and its exit code, never a stack trace.</summary>
    public static int Guard(Func<int> body) => GuardAsync(() => Task.FromResult(body())).GetAwaiter().GetResult();

    /// <inheritdoc cref="Guard"/>
    public static async Task<int> GuardAsync(Func<Task<int>> body)
    {
        try
        {
            return await body();
        }
        catch (Exception e) when (e is UsageException or Domain.Ports.DataException)
        {
            Output.PrintError(e.Message);
            return ExitCode.Usage;
        }
        catch (Actors.Journals.JournalException e)
        {
            Output.PrintError(e.Message);
            return e.Fault == Actors.Journals.JournalFault.Foreign ? ExitCode.Usage : ExitCode.Failed;
        }
        catch (Exception e) when (e is System.Runtime.InteropServices.ExternalException or DllNotFoundException)
        {
            Output.PrintError($"libtorch: {e.Message.Split('\n')[0]}; run 'danas doctor' to check this machine");
            return ExitCode.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or TimeoutException)
        {
            Output.PrintError(e.Message == NoSpace ? $"cannot write to standard output: {e.Message}" : e.Message);
            return ExitCode.Failed;
        }
    }

    /// <summary>What .NET says of a file has the file's name behind it; of standard output it is this alone.</summary>
    private const string NoSpace = "No space left on device";
}
