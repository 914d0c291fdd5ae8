using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>export: a search's model in formats that other programs run.</summary>
internal static class ExportVerb
{
    public static Command Export()
    {
        Argument<string> id = Shared.Id();
        Option<string> formats = Shared.Option("--format", string.Join(',', ModelExport.Formats), "architecture (JSON and text; always " +
            "written), onnx, safetensors, pytorch, csharp; the last two also write the safetensors file that they load.");
        Option<string?> to =
            new("--to")
            {
                Description = "Folder for the files, created if it does not exist; without this option, the chosen " +
                "architecture is printed."
            };
        Option<string> model = Shared.Option("--model", RetrainPlan.Winner,
            "winner, or a control such as control-1 ('danas report ID' lists them).");
        Option<bool> fold =
            new("--fold") { Description = "Folds batch norm into the convolutions of the ONNX file, ready for quantisation tools." };
        Option<int> samples = Shared.Option<int>("--samples",
            "Also writes this many test images in the network's input format, with the resulting logits (samples.safetensors).");
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("export", "Exports the result of a search: its architecture, and the retrained model as ONNX, safetensors, " +
            "a PyTorch module and a C# class.") { id, formats, to, model, fold, samples, data, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string[] wanted = parsed.GetValue(formats)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (wanted.Length == 0 || wanted.Except(ModelExport.Formats).FirstOrDefault() is not null)
                throw new UsageException($"--format {parsed.GetValue(formats)}: write " +
                    $"{string.Join(", ", ModelExport.Formats)}, separated by commas");
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            if (parsed.GetValue(to) is not { } target)
                return Print(record, folder, parsed.GetValue(json));
            ExportRequest request = new(wanted, parsed.GetValue(fold), parsed.GetValue(samples), parsed.GetValue(data));
            ExportedModel source = wanted is [ModelExport.ArchitectureOnly]
                ? ModelExport.Chosen(record) : ModelExport.Find(record, parsed.GetValue(model)!);
            IReadOnlyList<string> files = ModelExport.Write(Directory.CreateDirectory(target).FullName, record, folder, source, request);
            if (parsed.GetValue(json))
                Output.PrintJson("export", new
                {
                    search = record.Id,
                    model = source.Run,
                    architecture = source.Architecture.Text,
                    testAccuracy = source.TestAccuracy,
                    files
                });
            else
                Output.PrintText($"{source.Architecture.Text} ({source.Run} of {record.Id}):\n  {string.Join("\n  ", files)}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static int Print(SearchRecord record, OutputFolder folder, bool json)
    {
        Architecture winner = ModelExport.Chosen(record).Architecture;
        Console.WriteLine(json ? ResultFiles.ArchitectureJson(record.State, winner, SearchReport.Of(record, folder))
            : ResultFiles.ArchitectureText(record.State.Space!, winner));
        return ExitCode.Done;
    }
}
