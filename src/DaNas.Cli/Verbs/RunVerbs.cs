using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Reports;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Runtime.Trainers;

namespace DaNas.Cli.Verbs;

/// <summary>run and resume.</summary>
internal static class RunVerbs
{
    public static Command Run()
    {
        Argument<string> conf = Shared.Conf();
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<string?> id = Shared.Option<string?>("--id", "ID of the new search (default: its name, the time and four digits).");
        Option<bool> json = Shared.Json();
        Option<string?> cluster = NodeVerbs.Cluster();
        Option<string?> certificates = NodeVerbs.CertificatesFolder();
        Command command =
            new("run", "Starts a search and follows it until it ends; with --cluster, the search runs on the nodes of a cluster.") { conf,
            set, data, output, id, json, cluster, certificates };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            SearchConfig config = ConfigLoader.Load(parsed.GetValue(conf)!, parsed.GetValue(set) ?? [], parsed.GetValue(data));
            OutputFolder folder = Shared.Folder(parsed, output);
            folder.Create();
            if (ClusterAccess.Coordinators(parsed.GetValue(cluster)) is not null)
            {
                string name = CheckName(parsed.GetValue(id) ?? SearchRunner.NewId(config.Search.Name));
                using ClusterSession client = ClusterAccess.Session(parsed.GetValue(cluster), parsed.GetValue(certificates));
                return await ClusterRun.GoAsync(client, folder, name,
                    (c, waits, stop) => c.SubmitAsync(name, config, waits, stop), parsed.GetValue(json));
            }

            return await HereAsync(config, folder, parsed.GetValue(id), parsed.GetValue(json));
        }));
        return command;
    }

    /// <summary>A new search on this machine, from its start to its tables.</summary>
    internal static async Task<int> HereAsync(SearchConfig config, OutputFolder folder, string? id, bool json)
    {
        string searchId = CheckId(id ?? SearchRunner.NewId(config.Search.Name), folder);
        List<string> remarks = [];
        DatasetSummary summary = Engines.Describe(config, remarks.Add);
        Presenter presenter = new(!Console.IsOutputRedirected);
        presenter.Say($"search {searchId}: {ConfigSection.Kebab(config.Search.Strategy.ToString())} over " +
            $"{config.SpaceFor(summary.Classes.Count).Name} on {summary.Name}; {config.Trainers.Count} trainer(s) with " +
            $"{config.Trainers.Threads} thread(s) each on {config.Trainers.Device}");
        presenter.Say($"results, journal and log: {folder.SearchFolder(searchId)}");
        if (config.Trainers.Device == "cpu" && config.Trainers.Count * config.Trainers.Threads > Environment.ProcessorCount)
            presenter.Warn($"{config.Trainers.Count} trainers x {config.Trainers.Threads} threads exceed the " +
                $"{Environment.ProcessorCount} CPU cores: expect training to be 3 to 8 times slower; lower " +
                $"trainers.count or trainers.threads");
        using Interruption interruption = new();
        int code = await new SearchRunner(folder, presenter)
            .StartAsync(new Launch(config, summary, searchId, SearchState.Initial) { Remarks = remarks }, interruption.Token);
        return Close(folder, searchId, code, json, presenter);
    }

    public static Command Resume()
    {
        Argument<string> id = Shared.Id();
        Argument<string?> conf = new("CONF")
        {
            Description =
            "Configuration to resume with instead of the stored one; differences are rejected unless --accept is given.",
            Arity = ArgumentArity.ZeroOrOne
        };
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Option<bool> accept = Shared.Option<bool>("--accept",
            "Resumes even if the configuration, data, engine or end of the journal differs; the journal records the change.");
        Option<bool> takeover = Shared.Option<bool>("--takeover",
            "Takes the search over from a suspended process; the journal's epoch prevents that process from writing.");
        Option<string?> cluster = NodeVerbs.Cluster();
        Option<string?> certificates = NodeVerbs.CertificatesFolder();
        Command command =
            new("resume", "Resumes an interrupted search; if the search has finished, prints its result again. With --cluster, resumes " +
                "and follows a search in the cluster.") { id, conf, set, data, output, json, accept, takeover, cluster, certificates };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            if (ClusterAccess.Coordinators(parsed.GetValue(cluster)) is not null)
            {
                if (parsed.GetValue(conf) is not null || parsed.GetValue(set) is { Length: > 0 } || parsed.GetValue(data) is not null
                    || parsed.GetValue(accept) || parsed.GetValue(takeover))
                    throw new UsageException("a search in a cluster is resumed unchanged; to change it, fork it");
                using ClusterSession client = ClusterAccess.Session(parsed.GetValue(cluster), parsed.GetValue(certificates));
                string name = CheckName(parsed.GetValue(id)!);
                return await ClusterRun.GoAsync(client, folder, name, (c, _, stop) => c.ResumeAsync(name, stop), parsed.GetValue(json));
            }

            SearchRecord record = SearchRecord.LoadWhatIsThere(folder, parsed.GetValue(id)!);
            Presenter presenter = new(!Console.IsOutputRedirected);
            int code = ExitCode.Done;
            if (record.State.Phase is not SearchPhase.Completed)
            {
                Launch launch = ResumeCheck.Of(record, new ResumeRequest(
                    parsed.GetValue(conf), parsed.GetValue(set) ?? [], parsed.GetValue(data), parsed.GetValue(accept)));
                using Interruption interruption = new();
                presenter.Say($"resuming {record.Id} after {record.Events.Count} events, in {folder.SearchFolder(record.Id)}");
                code = await new SearchRunner(folder, presenter).ResumeAsync(record, launch, parsed.GetValue(takeover), interruption.Token);
            }

            return Close(folder, record.Id, code, parsed.GetValue(json), presenter);
        }));
        return command;
    }

    /// <summary>Goes on with a search as it is, to its end.</summary>
    internal static async Task<int> GoOnAsync(SearchRecord record, OutputFolder folder)
    {
        Presenter presenter = new(!Console.IsOutputRedirected);
        Launch launch = ResumeCheck.Of(record, new ResumeRequest(null, [], null, false));
        using Interruption interruption = new();
        presenter.Say($"resuming {record.Id} after {record.Events.Count} events, in {folder.SearchFolder(record.Id)}");
        int code = await new SearchRunner(folder, presenter).ResumeAsync(record, launch, false, interruption.Token);
        return Close(folder, record.Id, code, false, presenter);
    }

    internal static string CheckName(string id) => !Domain.Searches.SearchNames.AreProper(id)
        ? throw new UsageException($"--id {id}: use letters, digits, '-', '_' and '.', at most 100 characters")
        : id;

    internal static string CheckId(string id, OutputFolder folder)
    {
        CheckName(id);
        return SearchRecord.Ids(folder).Contains(id) || folder.WithHead().Contains(id)
            ? throw new UsageException($"search {id} already exists in {folder.Root}; resume it with '{ThisProgram.Name} resume " +
                $"{id}{folder.Option}', or choose another --id")
            : id;
    }

    private static int Close(OutputFolder folder, string id, int code, bool json, Presenter presenter)
    {
        if (!SearchRecord.Ids(folder).Contains(id))
            return code;
        SearchRecord record = SearchRecord.Load(folder, id);
        if (record.State.IsOver)
        {
            ResultFiles.Write(record, folder);
            Presenter.Table(record, folder);
            if (record.State.Phase is SearchPhase.Failed failed)
                presenter.Warn($"search {id} failed: {failed.Reason}; remedy: {failed.Remedy}");
        }

        if (json)
            Console.WriteLine(SearchReport.Of(record, folder).ToJson());
        return code;
    }
}

/// <summary>Searches in this process, as <c>run</c> and <c>resume</c> show them.</summary>
internal sealed class SearchesHere : ISearchHost
{
    public Task<int> BeginAsync(SearchConfig config, OutputFolder folder, string id) => RunVerbs.HereAsync(config, folder, id, false);

    public Task<int> GoOnAsync(SearchRecord record, OutputFolder folder) => RunVerbs.GoOnAsync(record, folder);
}
