using System.CommandLine;
using System.Text;
using System.Text.Json.Serialization;
using DaNas.Cli.Presentation;
using DaNas.Evidence;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Experiments;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>
/// What an experiment prints as JSON: how many of its trials are done, where their results lie, and the tables that follow.
/// </summary>
internal sealed record ExperimentReport(string Experiment, [property: JsonPropertyName("cells")] int Trials, int Of, string Results,
    IReadOnlyList<EvidenceTable> Tables);

/// <summary>experiment: a matrix of searches and the tables that follow from it.</summary>
internal static class ExperimentVerb
{
    public static Command Experiment()
    {
        Argument<string> conf =
            new("CONF") { Description = "Path to an experiment file (.conf), or the name of a bundled one (hocon/experiments)." };
        Option<string?> to = Shared.Option<string?>("--to", "Folder for the results (one small JSON file per trial) and the tables " +
            "(default: experiments/NAME in the output folder).");
        Option<int> parallel = Shared.Option<int>("--parallel",
            "Number of trials to run in parallel (default: as many as the cores allow).");
        Option<bool> tables = Shared.Option<bool>("--tables", "Runs no trials; writes the tables from the existing results.");
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("experiment", "Runs a matrix of searches (seeds x options), resumes it if it was interrupted, and writes " +
            "tables with statistics.") { conf, to, parallel, tables, data, output, json };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<ExperimentReport>("experiment", Output.Json))
                return ExitCode.Done;
            OutputFolder folder = Shared.Folder(parsed, output);
            ExperimentPlan plan = ExperimentPlan.Load(parsed.GetValue(conf)!, parsed.GetValue(data));
            string results = Path.GetFullPath(parsed.GetValue(to) ?? Path.Combine(folder.Root, "experiments", plan.Name));
            Presenter presenter = new(false, parsed.GetValue(json));
            ExperimentRun run = new(plan, folder, results, parsed.GetValue(data), presenter);
            bool whole = true;
            if (!parsed.GetValue(tables))
            {
                folder.Create();
                int cores = Math.Max(1, Environment.ProcessorCount
                    / plan.Trials.Max(c => c.Config.Trainers.Count * c.Config.Trainers.Threads));
                int atOnce = parsed.GetValue(parallel) is > 0 and { } wanted ? wanted : cores;
                presenter.Say(Invariant($"{plan.Name}: {plan.Arms.Count} arms x {plan.Seeds.Count} seeds, {plan.Trials.Count} trials, " +
                    $"{atOnce} in parallel; results in {results}; Ctrl-C interrupts, and the same command resumes"));
                using Interruption interruption = new();
                whole = await run.GoAsync(atOnce, interruption.Token);
                if (interruption.Token.IsCancellationRequested)
                {
                    presenter.Say("interrupted; completed trials are kept, and the same command resumes the experiment");
                    return ExitCode.Interrupted;
                }
            }

            IReadOnlyList<TrialResult> done = run.Done();
            if (done.Count == 0)
                throw new UsageException($"{results} contains no results of {plan.Name} yet; run the experiment without --tables");
            TrialMatrix matrix = new(plan.Name, [.. plan.Arms.Select(a => a.Name)], plan.Reference, done) { Margin = plan.Margin };
            IReadOnlyList<EvidenceTable> all = ExperimentTables.Of(plan, matrix);
            await File.WriteAllTextAsync(Path.Combine(results, "tables.md"), ExperimentTables.Markdown(plan, done, all),
                new UTF8Encoding(false));
            if (parsed.GetValue(json))
                Output.PrintJson("experiment", new ExperimentReport(plan.Name, done.Count, plan.Trials.Count, results, all));
            else
                Print(all, results, done.Count, plan.Trials.Count);
            return whole && (parsed.GetValue(tables) || done.Count == plan.Trials.Count) ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static void Print(IReadOnlyList<EvidenceTable> tables, string results, int done, int of)
    {
        foreach (EvidenceTable table in tables)
        {
            Output.PrintText($"{table.Claim}: {table.Title}");
            Output.PrintTable(table.Columns, table.Rows);
            foreach (string finding in table.Findings)
                Output.PrintText($"  {finding}");
            Console.WriteLine();
        }

        Output.PrintText($"{done} of {of} trials; results and tables.md in {results}");
    }
}
