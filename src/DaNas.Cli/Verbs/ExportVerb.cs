using System.CommandLine;
using System.Text;
using System.Text.Json;
using DaNas.Cli.Presentation;
using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch.Data;
using DaNas.Torch.Training;

namespace DaNas.Cli.Verbs;

/// <summary>export: a search's model in formats that other programs run.</summary>
internal static class ExportVerb
{
    public static Command Export()
    {
        Argument<string> id = Shared.Id();
        Option<string> formats = new("--format") { DefaultValueFactory = _ => string.Join(',', ModelExport.Formats), Description = "architecture (JSON and text; always written), onnx, safetensors, pytorch, csharp; the last two bring the safetensors file that they load." };
        Option<string?> to = new("--to") { Description = "Folder for the files, made where it is missing; without it the chosen architecture is printed." };
        Option<string> model = new("--model") { DefaultValueFactory = _ => RetrainPlan.Winner, Description = "winner, or a control such as control-1 ('danas report ID' lists them)." };
        Option<bool> fold = new("--fold") { Description = "Multiplies batch norm into the convolutions of the ONNX file, ready for quantisers." };
        Option<int> samples = new("--samples") { Description = "Also writes so many test pictures as the network takes them, with the logits that it answers (samples.safetensors)." };
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("export", "Hands over what a search found: its architecture, and the retrained model as ONNX, safetensors, a PyTorch module and a C# class.") { id, formats, to, model, fold, samples, data, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string[] wanted = parsed.GetValue(formats)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (wanted.Length == 0 || wanted.Except(ModelExport.Formats).FirstOrDefault() is not null)
                throw new UsageException($"--format {parsed.GetValue(formats)}: write {string.Join(", ", ModelExport.Formats)}, separated by commas");
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            if (parsed.GetValue(to) is not { } target)
                return Print(record, folder, parsed.GetValue(json));
            ExportRequest request = new(wanted, parsed.GetValue(fold), parsed.GetValue(samples), parsed.GetValue(data));
            ExportedModel source = wanted is [ModelExport.ArchitectureOnly] ? ModelExport.Chosen(record) : ModelExport.Find(record, parsed.GetValue(model)!);
            IReadOnlyList<string> files = ModelExport.Write(Directory.CreateDirectory(target).FullName, record, folder, source, request);
            if (parsed.GetValue(json))
                Output.PrintJson("export", new { search = record.Id, model = source.Run, architecture = source.Architecture.Text, testAccuracy = source.TestAccuracy, files });
            else
                Output.PrintText($"{source.Architecture.Text} ({source.Run} of {record.Id}):\n  {string.Join("\n  ", files)}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static int Print(SearchRecord record, OutputFolder folder, bool json)
    {
        Architecture winner = ModelExport.Chosen(record).Architecture;
        Console.WriteLine(json ? ResultFiles.ArchitectureJson(record.State, winner, SearchReport.Of(record, folder)) : ResultFiles.ArchitectureText(record.State.Space!, winner));
        return ExitCode.Done;
    }
}
