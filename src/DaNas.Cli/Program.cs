using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using DaNas.Cli.Presentation;
using DaNas.Cli.Verbs;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Trainers;

namespace DaNas.Cli;

/// <summary>The danas executable.</summary>
internal static partial class Program
{
    private static async Task<int> Main(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        if (args is ["trainer"])
            return TrainerVerb.Run();
        FaultInjection.Install(false);
        if ((OpenFiles.TooFew() ?? RetiredNames.Refuses(args)) is { } refused)
        {
            Output.PrintError(refused);
            return ExitCode.Usage;
        }

        RootCommand root = new("Fault-tolerant neural architecture search. Run 'danas run quickstart' for a demonstration.");
        foreach (Command command in Commands())
            root.Subcommands.Add(command);
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
                Output.PrintError(TypeName().Replace(error.Message, m => $"as {Kind(m.Groups["type"].Value)}"));
            Output.PrintError("'danas --help' lists the verbs; 'danas VERB --help' lists the options of a verb");
            return ExitCode.Usage;
        }

        return await parsed
            .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    /// <summary>The parser names .NET types to people.</summary>
    [GeneratedRegex("as expected type '(?<type>[^']*)'")]
    private static partial Regex TypeName();

    private static string Kind(string type) => type.Contains("Int", StringComparison.Ordinal)
        ? "a whole number" : type.Contains("Double", StringComparison.Ordinal) ? "a number" : "true or false";

    private static Command[] Commands() =>
    [
        RunVerbs.Run(), RunVerbs.Resume(), InspectVerbs.Ls(), InspectVerbs.Describe(), InspectVerbs.Watch(), InspectVerbs.Events(),
            InspectVerbs.Logs(), ExplainVerb.Explain(),
        ConfigVerbs.Validate(), ConfigVerbs.Estimate(), ConfigVerbs.Config(), DataVerbs.Data(), ToolVerbs.Doctor(), BenchVerbs.Bench(),
            SimulateVerb.Simulate(), DrillVerbs.Drill(),
        JournalVerbs.Journal(), JournalVerbs.Blobs(), TravelVerbs.State(), TravelVerbs.Fork(), TravelVerbs.Diff(), TravelVerbs.Replay(),
            TrainVerb.Train(), EvaluateVerb.Evaluate(), ExportVerb.Export(), ReportVerb.Report(), MeasureVerb.Measure(),
            MeasureVerb.Import(), ExperimentVerb.Experiment(), GapVerb.Gap(), SpaceVerb.Space(), NodeVerbs.Node(), NodeVerbs.Nodes(),
            NodeVerbs.Searches(), CertificateVerbs.All(),
    ];
}
