using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Configuration;
using DaNas.Simulation;
using DaNas.Simulation.Engines;
using MathNet.Numerics.Statistics;

namespace DaNas.Drills;

/// <summary>
/// A strategy on a table with a number of evaluations: the regret (points of accuracy between the table's best truth and that of the
/// choice) over seeds, with the 95 % Student interval of its mean. <paramref name="Spent"/> is the mean number of evaluations that were
/// used: schedules do not divide every number.
/// </summary>
internal sealed record StrategyRow(string Table, double Noise, string Strategy, int Evaluations, double Spent, double MedianRegret,
    double MeanRegret, double Low, double High);

/// <summary>
/// The product's strategies on a table of trained architectures, beside random search, regularised evolution, local search and successive
/// halving.
/// </summary>
internal sealed class StrategyBench(ArchitectureTable table, string file, TableDataset dataset, IReadOnlyList<string>? more = null)
{
    /// <summary>The fewest evaluations with which every strategy can do something.</summary>
    public const int Least = 48;

    private const double Confidence = 0.95;

    private const int TrainOn = 4;

    /// <summary>The product's own, by the keys that they differ in; each takes the number of evaluations.</summary>
    private readonly Dictionary<string, Func<int, string[]>> own = new(StringComparer.Ordinal)
    {
        ["da-nas"] = n => [.. DaNas(n), "prune.when=schedule", "evidence.kind=probability"],
        ["da-nas-effect"] = n => [.. DaNas(n), "prune.when=schedule"],
        ["da-nas-sure"] = n => DaNas(n, TrainOn),
        ["uniform-single-path"] = n => [.. DaNas(16), "prune.when=schedule", "search.strategy=uniform-single-path", "evidence.rounds=1",
            Invariant($"evidence.paths-per-block={Math.Max(1, n / (table.Positions * table.Options))}")],
    };

    /// <summary>Throws <see cref="UsageException"/> where a search of the bench could not begin, before any does.</summary>
    public void Check()
    {
        foreach (Func<int, string[]> sets in own.Values)
            Configure(sets(Least), 0, 1);
    }

    public IEnumerable<string> Strategies => own.Keys.Concat(TableSearchers.All.Keys);

    /// <summary>All rows of one noise; tells of each search that ends.</summary>
    public IReadOnlyList<StrategyRow> Run(double noise, IReadOnlyList<int> evaluations, int seeds, Action done)
    {
        (string Strategy, int Evaluations)[] cells = [.. from strategy in Strategies from n in evaluations select (strategy, n)];
        (double Regret, double Spent)[][] results = [.. cells.Select(_ => new (double, double)[seeds])];
        Parallel.For(0, cells.Length * seeds, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            ((string strategy, int n), int seed) = (cells[i / seeds], (i % seeds) + 1);
            (int choice, double spent) = own.TryGetValue(strategy, out Func<int, string[]>? sets)
                ? Search(sets(n), noise, seed)
                : (TableSearchers.All[strategy](table, noise, n, SeededRandom.Derive(seed, strategy, n, noise)), n);
            results[i / seeds][i % seeds] = (100 * (table.Best - table.Truth(choice)), spent);
            done();
        });
        return [.. cells.Select((c, i) => Row(noise, c, results[i]))];
    }

    private StrategyRow Row(double noise, (string Strategy, int Evaluations) cell, (double Regret, double Spent)[] results)
    {
        double[] regrets = [.. results.Select(r => r.Regret)];
        BlockScore mean = BlockScore.Of(0, cell.Strategy, regrets, Confidence);
        return new(table.Name, noise, cell.Strategy, cell.Evaluations, results.Average(r => r.Spent), regrets.Median(),
            mean.Score, mean.Low, mean.High);
    }

    /// <summary>A search as the product runs it, decided and answered without actors.</summary>
    private (int Choice, double Spent) Search(string[] sets, double noise, int seed)
    {
        SearchConfig config = Configure(sets, noise, seed);
        TableEngine engine = new(new EngineContext(config, table.Summary), table, new MemoryBlobs());
        SearchState end = new SimulatedSearch(config, table.Summary, engine.Run).RunClean().State;
        return end.Selected is { } selected
            ? (table.IndexOf(selected.Winner.Blocks), end.Cost.ForwardImages)
            : throw new DataException($"a search on {table.Name} did not finish: {(end.Phase as SearchPhase.Failed)?.Reason}");
    }

    private SearchConfig Configure(string[] sets, double noise, int seed) => ConfigLoader.Load(
            table.Space, [Invariant($"engine.table=\"{file.Replace("\\", "\\\\", StringComparison.Ordinal)}\""),
                $"engine.dataset={ConfigSection.Kebab(dataset.ToString())}", Invariant($"engine.noise={noise}"),
                Invariant($"search.seed={seed}"), "controls.count=0", .. sets, .. more ?? []], null);

    /// <summary>
    /// Four stages of equal length, four paths a step; where the first three may be so many times as long, all of them must fit.
    /// </summary>
    private static string[] DaNas(int evaluations, int trainOn = 1)
    {
        int steps = Math.Max(1, evaluations / (4 * ((3 * trainOn) + 1)));
        return [Invariant($"stage.epochs={steps}"), Invariant($"rounds.steps={steps}"), Invariant($"prune.train-on={trainOn}")];
    }
}

/// <summary>Blobs of a search that nobody resumes.</summary>
internal sealed class MemoryBlobs : IBlobStore
{
    private readonly Dictionary<BlobRef, byte[]> all = [];

    public BlobRef Put(ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        BlobRef blob = new(Digest.Of(copy), copy.Length);
        all[blob] = copy;
        return blob;
    }

    public byte[] Get(BlobRef blob) => all[blob];

    public bool Contains(BlobRef blob) => all.ContainsKey(blob);

    public void Delete(BlobRef blob) => all.Remove(blob);
}
