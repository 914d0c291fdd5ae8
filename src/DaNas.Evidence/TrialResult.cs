using System.Text.Json;
using System.Text.Json.Serialization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Evidence;

/// <summary>
/// What one search of an experiment gave, read off its journal: small enough to be kept with the source. <paramref name="Settings"/> is the
/// SHA-256 of what the experiment asked for; a result of other settings is never mixed in. <paramref name="ProxyBlock"/>: of the difficulty
/// pass, where there was one.
/// </summary>
public sealed record TrialResult(
    string Experiment,
    string Arm,
    long Seed,
    string Settings,
    string ConfigurationHash,
    string DataFingerprint,
    string DecisionHash,
    string WeightsHash,
    string Numerics,
    SortedDictionary<string, PhaseWork> Work,
    ValueList<double> KnownDifficulty,
    ValueList<double> Difficulty,
    ValueList<ValueList<ValueList<double>>> Proxies,
    ValueList<TrialStage> Stages,
    ValueList<ValueList<string>> Survivors,
    ValueList<TrialModel> Models,
    string? ProxyBlock = null)
{
    public const string DifficultyPass = "difficulty";
    public const string Supernet = "supernet";
    public const string Comparison = "comparison";
    public const string Retraining = "retraining";

    /// <summary>MACs of all candidates, layer by layer; null in results before 0.4.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValueList<ValueList<CandidateCost>>? BlockMacs { get; init; }

    /// <summary>
    /// Of random search at the cost of another trial: which one, and how many candidates its cost was enough for; null elsewhere.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CostOrigin? EqualCost { get; init; }

    /// <summary>Images forwarded by the supernet until blocks were first scored; null where none were, and in results before 0.4.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ImagesToFirstScores { get; init; }

    /// <summary>MACs that a choice may have; null in results before 0.4.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Budget { get; init; }

    /// <summary>What the supernet knew of the candidates; null in results before 0.4 and where no supernet measured them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValueList<TrialCandidate>? Candidates { get; init; }

    [JsonIgnore]
    public TrialModel Winner => Models[0];

    /// <summary>
    /// Test accuracy of the winner as it is compared with the controls: trained by their recipe, the mean over its seeds.
    /// </summary>
    [JsonIgnore]
    public double ComparedAccuracy => (Models.Any(m => RetrainPlan.IsCompared(m.Run)) ? Models.Where(m => RetrainPlan.IsCompared(
        m.Run)) : Models.Where(m => m.Architecture == Winner.Architecture && !RetrainPlan.IsControl(m.Run))).Average(m => m.TestAccuracy);

    /// <summary>The random architectures of about the winner's MACs, trained the same way.</summary>
    [JsonIgnore]
    public IEnumerable<TrialModel> Controls => Models.Where(m => RetrainPlan.IsControl(m.Run));

    /// <summary>Everything up to the choice of the architecture; the difficulty pass apart, which the paper's cost leaves open.</summary>
    public PhaseWork Search => WorkOf(Supernet) + WorkOf(Comparison);

    public PhaseWork WorkOf(string phase) => Work.GetValueOrDefault(phase) ?? PhaseWork.None;

    public string ToJson() => JsonSerializer.Serialize(this, DomainJson.Stored);

    /// <summary>Throws <see cref="InvalidDataException"/> where the text is no result of a trial.</summary>
    public static TrialResult FromJson(string text, string file)
    {
        try
        {
            return JsonSerializer.Deserialize<TrialResult>(text, DomainJson.Stored) ?? throw new JsonException("nothing in it");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is not a trial result of an experiment ({e.Message}); delete it and run " +
                $"the experiment again", e);
        }
    }

    /// <summary>
    /// Reads a finished search; with <paramref name="scoresAlone"/> also one that has scored blocks and not ended: the weights' hash is
    /// empty then, and there are no models.
    /// </summary>
    public static TrialResult Of(TrialKey key, IReadOnlyList<SearchEvent> events, ValueList<double> known, bool scoresAlone = false)
    {
        SearchState state = events.Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        SearchPhase.Completed? done = state.Phase as SearchPhase.Completed;
        if (done is null && !(scoresAlone && events.Any(e => e is SearchEvent.BlockScored)))
            throw new InvalidDataException($"the search of trial {key.Name} is not complete ({state.Phase.GetType().Name})");
        SearchEvent.SearchStarted started = state.Started!;
        CostTable costs = CostTable.Of(state.Space!);
        return new(
            key.Experiment,
            key.Arm,
            key.Seed,
            key.Settings,
            started.ConfigurationHash.Hex,
            started.Data.Fingerprint.Hex,
            state.DecisionHash.Hex,
            done?.WeightsHash.Hex ?? string.Empty,
            started.NumericsProfile,
            WorkOf(events, state),
            known,
            state.Difficulty?.Values.Select(v => Math.Round(v, 5)).ToValueList() ?? [],
            Enumerable.Range(0, state.Config!.Difficulty.Seeds).Select(
                s => events.OfType<SearchEvent.ProxyMeasured>().Where(p => p.ProxySeed == s).OrderBy(p => p.Point)
                .Select(p => p.Accuracy.Select(a => Math.Round(a, 4)).ToValueList()).ToValueList()).ToValueList(),
            state.Stages.OrderBy(s => s.Plan.Index).Select(s => Stage(s, events)).ToValueList(),
            state.Alive!.Layers,
            events.OfType<SearchEvent.ModelRetrained>().OrderBy(m => Order(m.Run), StringComparer.Ordinal).Select(m =>
                new TrialModel(m.Run, m.Architecture.Text, costs.Of(m.Architecture).Macs, m.TestAccuracy, m.TestPerClass)).ToValueList(),
            state.Difficulty?.Values.Count > 0 ? state.Config.Difficulty.Block : null)
        {
            BlockMacs = state.Space!.Layers.Select(l => l.Candidates.Select(b => new CandidateCost(b.Name, costs.Of(l.Index, b.Name).Macs))
                .ToValueList()).ToValueList(),
            Budget = state.Budget,
            Candidates = Measured(events) is { Count: > 0 } candidates ? candidates : null,
            ImagesToFirstScores = events.Any(e => e is SearchEvent.BlockScored)
                ? events.TakeWhile(e => e is not SearchEvent.BlockScored).Sum(e => e switch
                {
                    SearchEvent.RoundCompleted r =>
                    r.Cost.ForwardImages,
                    SearchEvent.EvidenceGathered g => g.Cost.ForwardImages,
                    _ => 0
                })
                : null,
        };
    }

    private static ValueList<TrialCandidate> Measured(IReadOnlyList<SearchEvent> events) =>
        events.OfType<SearchEvent.ArchitecturesRanked>().LastOrDefault() is { } ranked
        ? events.SkipWhile(e => e != ranked).OfType<SearchEvent.ArchitectureScored>().GroupBy(s => s.Rank).OrderBy(g => g.Key)
            .Select(g => new TrialCandidate(ranked.Ranked[g.Key].Architecture.Text, Math.Round(g.Last().Accuracy, 5))).ToValueList()
        : [];

    private static string Order(string run) => run == RetrainPlan.Winner ? string.Empty : run;

    private static TrialStage Stage(StageRecord record, IReadOnlyList<SearchEvent> events)
    {
        Dictionary<(int, string), double> scores = [];
        foreach (SearchEvent.BlockScored s in events.OfType<SearchEvent.BlockScored>().Where(s => s.Stage == record.Plan.Index))
            scores[(s.Score.Layer, s.Score.Block)] = Math.Round(s.Score.Score, 5);
        ValueList<ValueList<double>> table = scores.Count == 0 ? [] : record.Before.Layers
            .Select((l, i) => l.Select(b => scores.GetValueOrDefault((i, b), double.NaN)).ToValueList()).ToValueList();
        return new(record.Plan.Classes.Count, record.Before.Layers, table, Math.Round(record.Loss, 5), Math.Round(record.Accuracy, 5));
    }

    private static SortedDictionary<string, PhaseWork> WorkOf(IReadOnlyList<SearchEvent> events, SearchState state)
    {
        SortedDictionary<string, PhaseWork> work = new(StringComparer.Ordinal);
        int layers = state.Space!.Layers.Count;
        Dictionary<int, StageRecord> stages = state.Stages.ToDictionary(s => s.Plan.Index);
        SearchConfig config = state.Config!;
        foreach (SearchEvent e in events)
        {
            switch (e)
            {
                case SearchEvent.ProxyMeasured p:
                    Add(DifficultyPass, p.Cost, p.Timing, layers);
                    break;
                case SearchEvent.RoundCompleted r:
                    StageRecord stage = stages[r.Stage];
                    Add(Supernet, r.Cost, r.Timing, stage.Plan.IsWarmup ? layers : BlocksAnImage(config, stage.Before));
                    break;
                case SearchEvent.EvidenceGathered g:
                    Add(Supernet, g.Cost, g.Timing, layers);
                    break;
                case SearchEvent.BlocksTested t:
                    Add(Supernet, t.Cost, t.Timing, layers);
                    break;
                case SearchEvent.ArchitectureScored a:
                    Add(Comparison, a.Cost, a.Timing, layers);
                    break;
                case SearchEvent.SegmentCompleted s:
                    Add(Finals.IsFinal(s.Run) ? Comparison : Retraining, s.Cost, s.Timing, layers);
                    break;
            }
        }

        return work;

        void Add(string phase, UnitCost cost, Timing timing, double candidates) =>
            work[phase] = (work.GetValueOrDefault(phase) ?? PhaseWork.None) + new PhaseWork(cost.ForwardImages, cost.BackwardImages,
                cost.ForwardMacs, (long)Math.Round(cost.ForwardImages * candidates), timing.Seconds);
    }

    /// <summary>
    /// Candidate blocks that an image of a stage goes through: one a layer, all of them, or on the mean of weight and architecture steps
    /// between one and two.
    /// </summary>
    private static double BlocksAnImage(SearchConfig config, AliveBlocks alive) => (config.Search.Strategy, config.Sampler.Kind) switch
    {
        (StrategyKind.DaNas, SamplerKind.Soft) => alive.Count,
        (StrategyKind.DaNas, SamplerKind.TwoPath) => alive.Layers.Count + (
            alive.Layers.Count(l => l.Count > 1) * (double)config.Architecture.Batch / (config.Weights.Batch + config.Architecture.Batch)),
        _ => alive.Layers.Count,
    };
}
