using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Evidence;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch;
using DaNas.Torch.Training;

namespace DaNas.Runtime.Experiments;

/// <summary>How large the truth table is, and what its trainings are.</summary>
internal sealed record GapRequest(int Count, int Seeds, double ShortShare, string? Data, IReadOnlyList<string> Sets)
{
    /// <summary>File of a table that is there already, instead of one to be trained; null: none.</summary>
    public string? Truth { get; init; }
}

/// <summary>
/// What the trainings of an architecture gave: accuracies from scratch, one a seed, that of the short recipe, and what the untrained
/// network told.
/// </summary>
internal sealed record TruthOf(ValueList<double> Alone, double? ShortAlone, InitialScores? Initial);

/// <summary>
/// Trains a truth table of random architectures of a search's alive blocks, stratified by MACs, as journalled trainings named after the
/// search, and holds the supernet against it. What was trained before is not trained again.
/// </summary>
internal sealed class GapRun(ISearchHost host, OutputFolder folder, SearchRecord record, GapRequest request)
{
    private readonly SearchState state = record.State;

    /// <summary>The report, or the exit code of a training that did not end.</summary>
    public async Task<(GapReport? Report, int Code)> GoAsync()
    {
        if (state.Config!.Engine.Kind is var kind and not EngineKind.Torch)
            throw new UsageException($"search {record.Id} ran on a {ConfigSection.Kebab(kind.ToString())}: there is " +
                $"no supernet to measure");
        if (state.Supernet is null || state.Stages.Count == 0)
            throw new UsageException($"search {record.Id} trained no supernet; specify a search with strategy da-nas " +
                $"or uniform-single-path");
        if (state.Phase is not SearchPhase.Completed)
            throw new UsageException($"search {record.Id} is {record.Status}; first resume it with '{ThisProgram.Name} resume " +
                $"{record.Id}{folder.Option}'");
        AliveBlocks alive = state.Stages.OrderBy(s => s.Plan.Index).Last().After;
        if (request.Truth is { } file)
            return (await GivenAsync(file, alive), ExitCode.Done);
        Architecture[] table = [.. Sample(alive)];
        // Both configurations before either training: a mistake in the second must not cost the first.
        (string Id, SearchConfig Config) truth = Configure("truth", table, request.Seeds, 1);
        (string Id, SearchConfig Config)? brief = request.ShortShare > 0 ? Configure("short", table, 1, request.ShortShare) : null;
        (SearchRecord? whole, int code) = await TruthTraining.RunAsync(host, folder, truth.Id, truth.Config);
        if (whole is null)
            return (null, code);
        SearchRecord? quick = null;
        if (brief is { } b)
        {
            (quick, code) = await TruthTraining.RunAsync(host, folder, b.Id, b.Config);
            if (quick is null)
                return (null, code);
        }

        await Console.Error.WriteLineAsync("measuring the supernet");
        return (Measure(alive, table, whole.State.Config!.Trainers, a => new(TruthTraining.Results(whole, a), quick is null
            ? null : TruthTraining.Results(quick, a)[0], TruthTraining.Initial(whole, a))), ExitCode.Done);
    }

    /// <summary>The supernet against a table that is there: as far as its architectures are still in the supernet.</summary>
    private async Task<GapReport> GivenAsync(string file, AliveBlocks alive)
    {
        (ProbeReport? given, string? wrong) = ProbeTable.Read(file);
        ProbeReport table = given ?? throw new UsageException($"--truth: {wrong}");
        if (table.Data is { } data && data != state.Started!.Data.Fingerprint.Hex)
            throw new UsageException($"--truth {file}: it was trained on different data from {record.Id}; create one with 'danas " +
                $"space probe' on that data");
        CostTable costs = CostTable.Of(state.Space!);
        if (table.Rows.FirstOrDefault(r => Architecture.Parse(state.Space!, r.Architecture) is { } a
            && costs.Of(a).Macs != r.Macs) is { } other)
            throw new UsageException(Invariant($"--truth {file}: {other.Architecture} has {other.Macs:N0} MACs there and " +
                $"{costs.Of(Architecture.Parse(state.Space!, other.Architecture)!).Macs:N0} in {record.Id}: the search space or " +
                $"resolution differs; create a table with 'danas space probe' for this one"));
        Dictionary<Architecture, ProbeRow> rows = table.Rows.Select(r => (Architecture.Parse(state.Space!, r.Architecture), r))
            .Where(r => r.Item1 is { } a && a.Blocks.Select((b, l) => alive.Layers[l].Contains(b)).All(there => there))
            .ToDictionary(r => r.Item1!, r => r.r);
        if (rows.Count < 5)
            throw new UsageException(Invariant($"--truth {file}: {rows.Count} of its {table.Rows.Count} architectures are in the last " +
                $"supernet of {record.Id} (space {state.Space!.Name}); at least five are needed; create a larger table with 'danas space " +
                $"probe --all --any-cost'"));
        await Console.Error.WriteLineAsync(Invariant($"measuring the supernet with {rows.Count} of " +
            $"the table's {table.Rows.Count} architectures" +
            $"{(rows.Count < table.Rows.Count ? "; the others have blocks that were pruned or are of another space" : string.Empty)}; " +
            $"their accuracies are of the {table.Split} split, the supernet's of the validation split"));
        return Measure(alive, [.. rows.Keys], state.Config!.Trainers, a => new(rows[a].Alone, null, rows[a].Initial));
    }

    private GapReport Measure(AliveBlocks alive, Architecture[] table, TrainerOptions trainers, Func<Architecture, TruthOf> truthOf)
    {
        SearchConfig config = state.Config! with { Trainers = trainers };
        if (request.Data is { } data)
            config = config with { Data = config.Data with { Path = Path.GetFullPath(data) } };
        TorchBinding.Prepare(config.Trainers.Threads);
        EngineSession session = new(new EngineContext(config, state.Started!.Data), folder.OpenBlobs(record.Id));
        using SupernetEvaluator supernet = new(session, alive, state.Supernet!);
        long seed = SeededRandom.Derive(config.Search.Seed, "gap");
        CostTable costs = CostTable.Of(state.Space!);
        GapRow[] rows = [.. from a in table let truth = truthOf(a)
            select new GapRow(a.Text, costs.Of(a).Macs, supernet.AccuracyOf(a.Blocks, seed), truth.Alone, truth.ShortAlone)
        {
            Parameters = costs.Of(a).Parameters,
            Initial = truth.Initial,
        }];
        SearchPhase.Completed done = (SearchPhase.Completed)state.Phase;
        (ValueList<RetrainedModel> winner, ValueList<RetrainedModel> controls) = RetrainPlan.Comparison(done.Models);
        return GapReport.Of(record.Id, rows, config.Search.Seed) with
        {
            MixedAccuracy = supernet.MixedAccuracy(seed),
            SampledAccuracy = supernet.SampledAccuracy(16, seed),
            DerivedAccuracy = supernet.AccuracyOf(state.Selected!.Winner.Blocks, seed),
            HeldOutImages = supernet.HeldOutImages,
            MeanEntropy = supernet.Probabilities.Average(p => -p.Sum(v => v > 0 ? v * Math.Log(v) : 0)),
            WinnerOverRandom = controls.Count == 0 ? null : winner.Average(m => m.TestAccuracy) - controls.Average(m => m.TestAccuracy),
        };
    }

    /// <summary>A training of the whole table.</summary>
    private (string Id, SearchConfig Config) Configure(string kind, Architecture[] table, int seeds, double share)
    {
        RetrainOptions recipe = state.Config!.Retrain;
        string[] sets =
        [
            .. TruthTraining.Sets(kind, table), .. request.Sets,
            Invariant($"retrain.seeds={seeds}"), Invariant($"retrain.first-seed={(share < 1 ? request.Seeds : 0)}"),
            Invariant($"retrain.epochs={Math.Round(recipe.Epochs * share, 4)}"),
                Invariant($"retrain.warmup-epochs={Math.Round(recipe.WarmupEpochs * share, 4)}"),
        ];
        SearchConfig config = ConfigLoader.Anew(state.Started!.Configuration, sets, request.Data);
        return (TruthTraining.IdOf($"{record.Id}-{kind}", table.Length, config), config);
    }

    /// <summary>One architecture out of each of so many classes of cost, drawn from many random ones.</summary>
    private IEnumerable<Architecture> Sample(AliveBlocks alive)
    {
        SeededRandom random = new(SeededRandom.Derive(state.Config!.Search.Seed, "gap", "sample"));
        CostTable costs = CostTable.Of(state.Space!);
        Architecture[] pool = [.. Enumerable.Range(0, 200 * request.Count)
            .Select(_ => new Architecture(state.Space!.Name, alive.Layers.Select(l => l[random.NextInt(l.Count)]).ToValueList())).Distinct()
            .OrderBy(a => costs.Of(a).Macs).ThenBy(a => a.Text, StringComparer.Ordinal)];
        if (pool.Length < request.Count)
            throw new UsageException(Invariant($"--count {request.Count}: the search's last supernet has {pool.Length} architectures"));
        for (int i = 0; i < request.Count; i++)
        {
            int from = i * pool.Length / request.Count, to = (i + 1) * pool.Length / request.Count;
            yield return pool[from + random.NextInt(to - from)];
        }
    }
}
