using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Reports;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Presentation;

/// <summary>Stays with a search in a cluster as <c>run</c> does with one on this machine, and brings its result here.</summary>
internal static class ClusterRun
{
    public static async Task<int> GoAsync(ClusterSession client, OutputFolder folder, string id,
        Func<ClusterSession, Action<string>, CancellationToken, Task> begin, bool json)
    {
        Presenter presenter = new(!Console.IsOutputRedirected);
        using Interruption interruption = new();
        try
        {
            await begin(client, presenter.Warn, interruption.Token);
            presenter.Say($"search {id} is running in the cluster; Ctrl-C detaches without stopping it; to follow it again, run " +
                $"'{ThisProgram.Name} resume {id} --cluster ...'");
            SearchRecord record = await client.FollowAsync(id, (e, state) => Told(presenter, e, state), presenter.Warn, interruption.Token);
            presenter.EndProgress();
            await BringHomeAsync(client, folder, record, presenter, interruption.Token);
            return Close(folder, record, presenter, json);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            presenter.EndProgress();
            presenter.Say($"detached; search {id} continues in the cluster. To follow it again, run: {ThisProgram.Name} " +
                $"resume {id} --cluster ...");
            return ExitCode.Interrupted;
        }
    }

    private static void Told(Presenter presenter, SearchEvent e, SearchState state)
    {
        if (e is SearchEvent.SearchStarted started)
            presenter.Begin(state.Config!, started.Data, state);
        presenter.Stored(e, state);
    }

    private static async Task BringHomeAsync(ClusterSession client, OutputFolder folder, SearchRecord record,
        Presenter presenter, CancellationToken stop)
    {
        try
        {
            if (ResultFiles.WinnerWeights(record) is { } weights)
                await client.FetchAsync(folder, record.Id, weights, stop);
            ResultFiles.Write(record, folder);
        }
        catch (Exception e) when (e is BlobException or HttpRequestException or IOException or UnauthorizedAccessException)
        {
            presenter.Warn($"the search has ended, but its results could not be downloaded: {e.Message}");
        }
    }

    private static int Close(OutputFolder folder, SearchRecord record, Presenter presenter, bool json)
    {
        Presenter.Table(record, folder);
        if (record.State.Phase is SearchPhase.Failed failed)
            presenter.Warn($"search {record.Id} failed: {failed.Reason}; remedy: {failed.Remedy}");
        if (json)
            Console.WriteLine(SearchReport.Of(record, folder).ToJson());
        return record.State.Phase is SearchPhase.Completed ? ExitCode.Done : ExitCode.Failed;
    }
}
