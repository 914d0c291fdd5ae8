using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Stages;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Datasets;
using DaNas.Runtime.Processes;
using DaNas.Torch.Data;

namespace DaNas.Cli.Verbs;

/// <summary>Data sets: what is known, checking every image, fetching the usual ones.</summary>
internal static class DataVerbs
{
    public static Command Data() => new("data", "Lists, checks, shows and fetches data sets.") { List(), Check(),
        DataShow.Show(), Fetch() };

    private static Command List()
    {
        Command command = new("list", "Lists the data sets that 'danas data fetch' can download and the formats that --data accepts.");
        command.SetAction(_ => Shared.Guard(() =>
        {
            Output.PrintTable(["name", "format", "images", "source"],
                PublicDatasets.All.Select(d => (IReadOnlyList<string>)[d.Name, d.Form, d.Images, d.Files[0].Url]));
            Output.PrintText("formats accepted by --data: a folder train/CLASS/*.jpg|png|webp|bmp|gif with test/, val/, valid/ or " +
                "validation/ next to it (ImageFolder); IDX files; CIFAR in binary format; a catalogue file 'split TAB class TAB path'");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Check()
    {
        Argument<string> path = Shared.Argument<string>("PATH", "Folder or catalogue file of the data set.");
        Option<bool> hash =
            Shared.Option<bool>("--hash", "Also prints the SHA-256 of all image bytes in listing order; compare it with an " +
            "earlier one to detect flipped bits in a JPEG that still decodes.");
        Option<bool> headers = Shared.Option<bool>("--headers", "Reads only the headers (format and size of every image), which takes a " +
            "fraction of the time; truncated images are not detected.");
        Option<bool> json = Shared.Json();
        Command command =
            new("check", "Decodes every image and lists the broken images and the parts of the folder that are ignored; exits with code " +
                "1 if any image is broken.") { path, hash, headers, json };
        command.SetAction(parsed =>
            Shared.Guard(() => Check(parsed.GetValue(path)!, (parsed.GetValue(hash), parsed.GetValue(headers)), parsed.GetValue(json))));
        return command;
    }

    private static int Check(string path, (bool Hash, bool Headers) what, bool json)
    {
        (bool hash, bool headers) = what;
        if (hash && headers)
            throw new UsageException("--hash and --headers cannot be combined: --hash reads every byte, --headers only the headers");
        DatasetCheck check = DatasetCheck.Of(path, hash, headers, json ? null : Output.PrintText);
        (DatasetSummary summary, ImageSource source, IReadOnlyList<string> broken) = (check.Summary, check.Source, check.Broken);
        if (json)
        {
            Output.PrintJson("data-check", new
            {
                summary.Name,
                kind = check.Kind,
                fingerprint = summary.Fingerprint.Hex,
                contentSha256 = check.Content,
                classes = summary.Classes,
                train = source.Train.Count,
                test = source.Test.Count,
                remarks = source.Remarks,
                broken
            });
            return broken.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        }

        Output.PrintText(Invariant($"{summary.Name}: {check.Kind}, {summary.Classes.Count} " +
            $"classes, {source.Train.Count:N0} training and {source.Test.Count:N0} test images, fingerprint {summary.Fingerprint.Short}"));
        int[] each = [.. source.Train.GroupBy(e => e.Class).Select(g => g.Count())];
        Output.PrintText(Invariant($"training images per class: {each.Min()} to {each.Max()}"));
        foreach (string remark in source.Remarks)
            Output.PrintText($"note: {remark}");
        foreach (string message in broken.Take(50))
            Output.PrintText(message);
        if (check.Content is { } content)
            Output.PrintText($"content SHA-256 {content}");
        Output.PrintText(broken.Count == 0 ? headers ? "all headers are intact (images were not decoded)" : "every image decodes"
            : $"{broken.Count} broken images");
        return broken.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static Command Fetch()
    {
        Argument<string> name = Shared.Argument<string>("NAME", "Name of a data set listed by 'danas data list'.");
        Option<string> to = Shared.Option("--to", ".", "Destination folder.");
        Command command =
            new("fetch", "Downloads a public data set; resumes interrupted downloads and verifies checksums where the " +
                "source publishes them.") { name, to };
        command.SetAction((parsed, stop) => Shared.GuardAsync(async () =>
        {
            PublicDataset dataset = PublicDatasets.All.FirstOrDefault(d => Plain(d.Name) == Plain(parsed.GetValue(name)!))
                ?? throw new UsageException($"unknown data set '{parsed.GetValue(name)}'; choose one of: " +
                    $"{string.Join(", ", PublicDatasets.All.Select(d => d.Name))}");
            string folder = Path.Combine(parsed.GetValue(to)!, dataset.Name);
            await PublicDatasets.FetchAsync(dataset, folder, Console.WriteLine, stop);
            Output.PrintText($"{dataset.Name} is in {folder}; check it with 'danas data check {folder}'");
            return ExitCode.Done;
        }));
        return command;

        // cifar10, as the configurations are called, and cifar-10, as the data set is.
        static string Plain(string name) => name.Replace("-", string.Empty, StringComparison.Ordinal).ToLowerInvariant();
    }
}
