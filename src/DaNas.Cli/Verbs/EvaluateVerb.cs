using System.CommandLine;
using System.Text;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Reports;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch;
using DaNas.Torch.Training;

namespace DaNas.Cli.Verbs;

/// <summary>evaluate: a retrained model on the test split, class by class.</summary>
internal static class EvaluateVerb
{
    public static Command Evaluate()
    {
        Argument<string> id = Shared.Id();
        Option<string> model = Shared.Option("--model", RetrainPlan.Winner,
            "Model to evaluate: winner, runner-up-N, control-N or winner-compared.");
        Option<string?> to = Shared.Option<string?>("--to", "FILE.json (default: evaluation-MODEL.json in the search's folder, where " +
            "'danas report' finds it).");
        Option<string?> device = Shared.Option<string?>("--device", "cpu, cuda or cuda:N (default: the device of the search).");
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("evaluate", "Evaluates a retrained model on the test split: top-1, top-5, accuracy per class " +
            "and confusion matrix.") { id, model, to, device, data, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            ExportedModel found = ModelExport.Find(record, parsed.GetValue(model)!);
            EngineSession session = ModelExport.Session(record, parsed.GetValue(data), parsed.GetValue(device));
            TestReport report = TestReport.Of(session, folder.OpenBlobs(record.Id).Get(found.Weights!), found.Architecture.Blocks);
            string file = Path.GetFullPath(parsed.GetValue(to) ?? SearchNotes.EvaluationFile(folder, record.Id, found.Run));
            string[] classes = [.. record.State.Started!.Data.Classes];
            var value = new
            {
                search = record.Id,
                model = found.Run,
                architecture = found.Architecture.Text,
                report.Images,
                report.Top1,
                top5 = double.IsNaN(report.Top5) ? (double?)null : report.Top5,
                classes,
                report.PerClass,
                report.Confusion
            };
            File.WriteAllText(file, JsonSchemas.File("evaluate", value, Output.Json) + "\n", new UTF8Encoding(false));
            if (parsed.GetValue(json))
                Output.PrintJson("evaluate", value);
            else
                Print(report, classes, found, file);
            if (record.State.Config!.Retrain.MeasureOn == MeasuredSplit.Test && found.TestAccuracy is { } stored
                && Math.Abs(stored - report.Top1) > 5e-6)
                Output.PrintError(
                    Invariant($"the journal records {stored:0.000000}: this machine computes different results, or the data have changed"));
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Print(TestReport report, string[] classes, ExportedModel found, string file)
    {
        Output.PrintText(Invariant($"{found.Architecture.Text} ({found.Run}): top-1 " +
            $"{report.Top1:0.0000}{(double.IsNaN(report.Top5) ? string.Empty : Invariant($", top-5 {report.Top5:0.0000}"))} on " +
            $"{report.Images:N0} test images"));
        Output.PrintTable(
            ["class", "accuracy", "most often confused with"],
            classes.Select((name, c) => (IReadOnlyList<string>)[name, Invariant($"{report.PerClass[c]:0.0000}"),
                Mistake(report.Confusion[c], c, classes)]).OrderBy(r => r[1], StringComparer.Ordinal).Take(20));
        Output.PrintText($"{(classes.Length > 20 ? "the 20 worst classes; " : string.Empty)}all classes and the confusion " +
            $"matrix are in {file}");
    }

    private static string Mistake(IReadOnlyList<int> row, int own, string[] classes)
    {
        int worst = Enumerable.Range(0, row.Count).Where(c => c != own).MaxBy(c => row[c]);
        return row[worst] == 0 ? "-" : Invariant($"{classes[worst]} ({row[worst]})");
    }
}
