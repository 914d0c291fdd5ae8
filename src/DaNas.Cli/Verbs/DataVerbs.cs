using System.CommandLine;
using System.Security.Cryptography;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Stages;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Datasets;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch.Data;

namespace DaNas.Cli.Verbs;

/// <summary>Data sets: what is known, checking every picture, fetching the usual ones.</summary>
internal static class DataVerbs
{
    public static Command Data() => new("data", "Lists, checks, shows and fetches data sets.") { List(), Check(), DataShow.Show(), Fetch() };

    private static Command List()
    {
        Command command = new("list", "The data sets that 'danas data fetch' knows, and the forms that --data takes.");
        command.SetAction(_ => Shared.Guard(() =>
        {
            Output.PrintTable(["name", "form", "pictures", "source"], PublicDatasets.All.Select(d => (IReadOnlyList<string>)[d.Name, d.Form, d.Pictures, d.Files[0].Url]));
            Output.PrintText("forms of --data: a folder train/CLASS/*.jpg|png|webp|bmp|gif with test/, val/, valid/ or validation/ beside it (ImageFolder); IDX files; CIFAR in binary form; a catalogue file 'split TAB class TAB path'");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Check()
    {
        Argument<string> path = new("PATH") { Description = "The data set's folder or catalogue." };
        Option<bool> hash = new("--hash") { Description = "Also prints the SHA-256 of all pictures' bytes in the order of the listing: flipped bits inside a JPEG decode without a word, and change it." };
        Option<bool> headers = new("--headers") { Description = "Reads headers alone: form and size of every picture, in a fraction of the time; a cut picture is not seen." };
        Option<bool> json = Shared.Json();
        Command command = new("check", "Decodes every picture and names the broken ones, and what of the folder is not read; exit code 1 where pictures are broken.") { path, hash, headers, json };
        command.SetAction(parsed => Shared.Guard(() => Check(parsed.GetValue(path)!, (parsed.GetValue(hash), parsed.GetValue(headers)), parsed.GetValue(json))));
        return command;
    }

    private static int Check(string path, (bool Hash, bool Headers) what, bool json)
    {
        (bool hash, bool headers) = what;
        if (hash && headers)
            throw new UsageException("--hash reads every byte, --headers does not: leave one of them out");
        SearchConfig config = ConfigLoader.Load("drawn-12", [], path);
        ImageSource source = ImageSource.Open(config);
        DatasetSummary summary = DatasetCatalog.Describe(source, config);
        ImageEntry[] all = [.. source.Train, .. source.Test];
        List<string> broken = [];
        byte[][] digests = new byte[hash ? all.Length : 0][];
        int done = 0;
        Parallel.ForEach(all, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, (entry, _, i) =>
        {
            byte[] pixels = new byte[3 * 32 * 32];
            try
            {
                if (headers && source is FileBackedSource files)
                    ImageCodec.Header(files.FileOf(entry));
                else
                    source.Decode(entry, pixels, 3, 32);
                if (hash && source.Encoded(entry) is { } bytes)
                    digests[i] = SHA256.HashData([.. System.Text.Encoding.UTF8.GetBytes($"{Path.GetFileName(entry.Name)}\n"), .. bytes]);
            }
            catch (DataException e)
            {
                lock (broken)
                    broken.Add(e.Message);
            }

            int n = Interlocked.Increment(ref done);
            if (n % 20_000 == 0 && !json)
                Output.PrintText(Output.Text($"{n:N0} of {all.Length:N0} pictures {(headers ? "looked at" : "decoded")}"));
        });
        broken.Sort(StringComparer.Ordinal);
        string? content = hash && broken.Count == 0 ? all.Length > 0 && digests[0] is null ? summary.Fingerprint.Hex : Convert.ToHexStringLower(SHA256.HashData([.. digests.SelectMany(d => d)])) : null;
        if (json)
        {
            Output.PrintJson("data-check", new { summary.Name, kind = ConfigSection.Kebab(config.Data.Kind.ToString()), fingerprint = summary.Fingerprint.Hex, contentSha256 = content, classes = summary.Classes, train = source.Train.Count, test = source.Test.Count, remarks = source.Remarks, broken });
            return broken.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        }

        Output.PrintText(Output.Text($"{summary.Name}: {ConfigSection.Kebab(config.Data.Kind.ToString())}, {summary.Classes.Count} classes, {source.Train.Count:N0} training and {source.Test.Count:N0} test pictures, fingerprint {summary.Fingerprint.Short}"));
        int[] each = [.. source.Train.GroupBy(e => e.Class).Select(g => g.Count())];
        Output.PrintText(Output.Text($"training pictures a class: {each.Min()} to {each.Max()}"));
        foreach (string remark in source.Remarks)
            Output.PrintText($"note: {remark}");
        foreach (string message in broken.Take(50))
            Output.PrintText(message);
        if (content is not null)
            Output.PrintText($"content SHA-256 {content}");
        Output.PrintText(broken.Count == 0 ? headers ? "every header is whole (pictures were not decoded)" : "every picture decodes" : $"{broken.Count} broken pictures");
        return broken.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static Command Fetch()
    {
        Argument<string> name = new("NAME") { Description = "One of 'danas data list'." };
        Option<string> to = new("--to") { Description = "The folder to fill.", DefaultValueFactory = _ => "." };
        Command command = new("fetch", "Downloads a public data set, with resume and checksums where the source publishes them.") { name, to };
        command.SetAction((parsed, stop) => Shared.GuardAsync(async () =>
        {
            PublicDataset dataset = PublicDatasets.All.FirstOrDefault(d => Plain(d.Name) == Plain(parsed.GetValue(name)!))
                ?? throw new UsageException($"'{parsed.GetValue(name)}' is not known; one of: {string.Join(", ", PublicDatasets.All.Select(d => d.Name))}");
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
