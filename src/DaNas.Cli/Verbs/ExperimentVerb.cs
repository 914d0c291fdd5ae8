using System.CommandLine;
using System.Text;
using DaNas.Cli.Presentation;
using DaNas.Evidence;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Experiments;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>What an experiment prints as JSON: how many of its cells are done, where their results lie, and the tables that follow.</summary>
internal sealed record ExperimentReport(string Experiment, int Cells, int Of, string Results, IReadOnlyList<EvidenceTable> Tables);

/// <summary>experiment: a matrix of searches and the tables that follow from it.</summary>
internal static class ExperimentVerb
{
    public static Command Experiment()
    {
        Argument<string> conf = new("CONF") { Description = "An experiment's .conf file, or the name of one that the product ships (hocon/experiments)." };
        Option<string?> to = new("--to") { Description = "Folder of the results, one small JSON file a cell, and of the tables (default: experiments/NAME in the output folder)." };
        Option<int> parallel = new("--parallel") { Description = "Cells at once (default: as many as the cores allow)." };
        Option<bool> tables = new("--tables") { Description = "Runs nothing; writes the tables from the results that are there." };
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("experiment", "Runs a matrix of searches (seeds x options), again where it was interrupted, and writes what it shows with statistics.") { conf, to, parallel, tables, data, output, json };
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
                int cores = Math.Max(1, Environment.ProcessorCount / plan.Cells.Max(c => c.Config.Trainers.Count * c.Config.Trainers.Threads));
                int atOnce = parsed.GetValue(parallel) is > 0 and { } wanted ? wanted : cores;
                presenter.Say(Output.Text($"{plan.Name}: {plan.Arms.Count} arms x {plan.Seeds.Count} seeds, {plan.Cells.Count} cells, {atOnce} at once; results in {results}; Ctrl-C interrupts, the same command goes on"));
                using Interruption interruption = new();
                whole = await run.GoAsync(atOnce, interruption.Token);
                if (interruption.Token.IsCancellationRequested)
                {
                    presenter.Say("interrupted; what was done stays done, the same command goes on");
                    return ExitCode.Interrupted;
                }
            }

            IReadOnlyList<CellResult> done = run.Done();
            if (done.Count == 0)
                throw new UsageException($"{results} has no result of {plan.Name} yet; run the experiment without --tables");
            CellMatrix matrix = new(plan.Name, [.. plan.Arms.Select(a => a.Name)], plan.Reference, done) { Margin = plan.Margin };
            IReadOnlyList<EvidenceTable> all = Tables(plan, matrix);
            await File.WriteAllTextAsync(Path.Combine(results, "tables.md"), Markdown(plan, done, all), new UTF8Encoding(false));
            if (parsed.GetValue(json))
                Output.PrintJson("experiment", new ExperimentReport(plan.Name, done.Count, plan.Cells.Count, results, all));
            else
                Print(all, results, done.Count, plan.Cells.Count);
            return whole && (parsed.GetValue(tables) || done.Count == plan.Cells.Count) ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static IReadOnlyList<EvidenceTable> Tables(ExperimentPlan plan, CellMatrix matrix)
    {
        if (plan.Until == ExperimentEnd.FirstScores)
            return AgreementTables.FirstScores(matrix) is { } agreement ? [agreement] : [];
        return plan.Truth is { } truth ? [.. Claims.Of(matrix), TruthTables.Regret(matrix, truth)] : Claims.Of(matrix);
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

        Output.PrintText($"{done} of {of} cells; results and tables.md in {results}");
    }

    private static string Markdown(ExperimentPlan plan, IReadOnlyList<CellResult> done, IReadOnlyList<EvidenceTable> tables)
    {
        StringBuilder text = new();
        text.AppendLine(Output.Text($"# {plan.Name}: {done.Count} of {plan.Cells.Count} cells")).AppendLine();
        text.AppendLine(Output.Text($"Seeds {string.Join(", ", plan.Seeds)}. Numerics: {string.Join("; ", done.Select(d => d.Numerics).Distinct())}.")).AppendLine();
        text.AppendLine("| arm | changes |\n|---|---|");
        foreach (ExperimentArm arm in plan.Arms)
            text.AppendLine(Output.Text($"| {arm.Name} | {(arm.CostOf is null ? string.Empty : Output.Text($"random search at the cost of {arm.CostOf} with the same seed (candidates: {string.Join(", ", done.Where(d => d.Arm == arm.Name).Select(d => d.EqualCost?.Candidates))}); "))}{(arm.Sets.Count == 0 ? "none" : string.Join(", ", arm.Sets.Select(s => $"`{s}`")))} |"));
        foreach (EvidenceTable table in tables)
            text.AppendLine().Append(table.ToMarkdown());
        return text.ToString();
    }
}
