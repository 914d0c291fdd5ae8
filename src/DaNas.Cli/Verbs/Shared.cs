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
    public static Argument<string> Conf() => new("CONF") { Description = "A search's .conf file, or the name of one that the product ships (quickstart, fashion-mnist, cifar10, imagenet20, imagenet)." };

    public static Argument<string> Id() => new("ID") { Description = "A search's id, or the beginning of it." };

    public static Option<string[]> Set() => new("--set") { Description = "Overrides one key: --set search.seed=7. May be repeated.", AllowMultipleArgumentsPerToken = false };

    public static Option<string?> Data() => new("--data") { Description = "The data set's folder (ImageFolder, IDX, CIFAR binary) or catalogue file." };

    public static Option<string?> Out() => new("--out") { Description = "The folder of journal, blobs and results (default: DANAS_OUT, else the user's data folder)." };

    public static Option<bool> Json() => new("--json") { Description = "Prints the result as JSON." };

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
        catch (UsageException e)
        {
            Output.PrintError(e.Message);
            return ExitCode.Usage;
        }
        catch (Domain.Ports.DataException e)
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
            Output.PrintError($"libtorch: {e.Message.Split('\n')[0]}; 'danas doctor' says what this machine has");
            return ExitCode.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or TimeoutException)
        {
            Output.PrintError(e.Message == NoSpace ? $"standard output cannot be written: {e.Message}" : e.Message);
            return ExitCode.Failed;
        }
    }

    /// <summary>What .NET says of a file has the file's name behind it; of standard output it is this alone.</summary>
    private const string NoSpace = "No space left on device";
}
