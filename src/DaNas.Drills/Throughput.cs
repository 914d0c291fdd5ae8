using System.Text.Json.Serialization;
using DaNas.Actors.Cluster;
using DaNas.Actors.Journals;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Work;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Journal.Postgres;
using DaNas.Runtime.Searches;
using DaNas.Runtime.Trainers;

namespace DaNas.Drills;

/// <summary>Images a second with one and with two trainers, in a cluster and as bare engine processes, and the ratios.</summary>
internal sealed record ThroughputResult(double ClusterOne, double ClusterTwo, double EngineOne, double EngineTwo)
{
    public double ClusterRatio => ClusterTwo / ClusterOne;

    public double EngineRatio => EngineTwo / EngineOne;

    /// <summary>What the cluster reaches of what two processes that know nothing of each other reach on the same cores.</summary>
    public double Share => ClusterRatio / EngineRatio;

    /// <summary>The result in a sentence.</summary>
    [JsonIgnore]
    public string Sentence => Invariant($"cluster {ClusterOne:0} -> {ClusterTwo:0} images/s (x {ClusterRatio:0.00}), bare engines " +
        $"{EngineOne:0} -> {EngineTwo:0} (x {EngineRatio:0.00}); the cluster reaches {Share:0.00} of the bare engines' scaling");
}

/// <summary>
/// One search on a cluster of one coordinator and two trainers, of which one is drained every other window; between the windows, the same
/// work units in one and in two engine processes without any cluster. Rates are of whole stored rounds.
/// </summary>
internal sealed class Throughput(string folder, string journal, Action<string> say)
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(8);

    private readonly List<(DateTimeOffset From, DateTimeOffset To, int Trainers)> windows = [];

    public async Task<ThroughputResult> RunAsync(SearchConfig config, int repeats, TimeSpan window)
    {
        List<double> engineOne = [];
        List<double> engineTwo = [];
        await using DrillCluster cluster = await DrillCluster.StartAsync(folder, journal, new DrillLayout(1, 2));
        using ClusterSession client = cluster.Client();
        await client.SubmitAsync("throughput", config, say, CancellationToken.None);
        await WaitForRoundsAsync(cluster, DateTimeOffset.UtcNow, 3);
        for (int i = 0; i < repeats; i++)
        {
            foreach (int trainers in new[] { 1, 2 })
            {
                await SetDutyAsync(client, "t1", trainers == 2 ? NodeDuty.Active : NodeDuty.Draining);
                await SetDutyAsync(client, "t0", NodeDuty.Active);
                await WaitForRoundsAsync(cluster, DateTimeOffset.UtcNow + Settle, 1);
                DateTimeOffset from = DateTimeOffset.UtcNow;
                await Task.Delay(window);
                windows.Add((from, DateTimeOffset.UtcNow, trainers));
            }

            await SetDutyAsync(client, "t0", NodeDuty.Draining);
            await SetDutyAsync(client, "t1", NodeDuty.Draining);
            await Task.Delay(Settle);
            (WorkUnit unit, TrainerOpening opening) = FirstRound(config);
            engineOne.Add(await EnginesAsync(config, opening, unit, 1, window));
            engineTwo.Add(await EnginesAsync(config, opening, unit, 2, window));
            say(Invariant($"pass {i + 1} of {repeats}: engines {engineOne[^1]:0} and {engineTwo[^1]:0} images/s"));
        }

        using PostgresJournal reader = await PostgresJournal.OpenAsync(cluster.Server);
        IReadOnlyList<StoredEvent> events = await reader.ReadAsync(SearchRecord.PersistenceId("throughput"));
        return new(Rate(events, 1), Rate(events, 2), Median(engineOne), Median(engineTwo));
    }

    /// <summary>Median over the windows of images in whole rounds, from the end of the first round to that of the last.</summary>
    private double Rate(IReadOnlyList<StoredEvent> events, int trainers) =>
        Median([.. windows.Where(w => w.Trainers == trainers).Select(w =>
    {
        StoredEvent[] rounds = [.. events.Where(e => e.Event is SearchEvent.RoundCompleted && e.Created >= w.From && e.Created <= w.To)];
        return rounds.Length < 2 ? double.NaN : rounds.Skip(1)
            .Sum(r => ((SearchEvent.RoundCompleted)r.Event).Cost.ForwardImages) / (rounds[^1].Created - rounds[0].Created).TotalSeconds;
    })]);

    private static async Task SetDutyAsync(ClusterSession client, string node, NodeDuty duty) =>
        await client.SetDutyAsync(node, duty, CancellationToken.None);

    private static async Task WaitForRoundsAsync(DrillCluster cluster, DateTimeOffset after, int count)
    {
        for (int i = 0; i < count; i++)
            after = await cluster.NextUsefulAsync(after, TimeSpan.FromMinutes(3))
                ?? throw new InvalidDataException("the cluster stores no rounds");
    }

    /// <summary>The first shard of the first round, which needs no blob.</summary>
    private (WorkUnit Unit, TrainerOpening Opening) FirstRound(SearchConfig config)
    {
        DatasetSummary data = new Torch.Data.DatasetCatalog().Describe(config);
        SearchState state = SearchEvolver.Evolve(SearchState.Initial,
            new SearchEvent.SearchStarted(new("engine"), config.Text, config.Hash, data, "none", "none"));
        state = ((Decision.Accepted)SearchDecider.Decide(state, new SearchCommand.Proceed())).Events.Aggregate(state, SearchEvolver.Evolve);
        WorkUnit unit = OutstandingWork.Of(state) is [WorkUnit.TrainShard shard, ..]
            ? shard : throw new InvalidDataException("the configuration must begin with training: set curriculum.order=random");
        return (unit, new TrainerOpening(config.Text, data, Path.Combine(folder, "engines")));
    }

    private static async Task<double> EnginesAsync(SearchConfig config, TrainerOpening opening, WorkUnit unit, int count, TimeSpan window)
    {
        double[] rates = await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            await using TrainerProcess process = new(opening, config.Trainers, _ => { });
            await process.StartPatientlyAsync(CancellationToken.None);
            await RunAsync(process, unit);
            long images = 0;
            long started = System.Diagnostics.Stopwatch.GetTimestamp();
            while (System.Diagnostics.Stopwatch.GetElapsedTime(started) < window)
                images += await RunAsync(process, unit);
            return images / System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
        }));
        return rates.Sum();
    }

    private static async Task<long> RunAsync(TrainerProcess process, WorkUnit unit) =>
        await process.RunAsync(unit, CancellationToken.None) is UnitOutcome.Completed { Result: var result }
        ? result.Cost.ForwardImages : throw new InvalidDataException("the engine did not end its unit");

    private static double Median(IReadOnlyList<double> values) => values.Order().ElementAt(values.Count / 2);
}
