using System.Globalization;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Configuration;

/// <summary>
/// One resolved configuration of a search. Its canonical text stands in the search's first event, and the search never reads
/// configuration again.
/// </summary>
public sealed record SearchConfig(
    SearchOptions Search,
    DataOptions Data,
    DifficultyOptions Difficulty,
    CurriculumOptions Curriculum,
    WarmupOptions Warmup,
    StageOptions Stage,
    RoundOptions Rounds,
    SamplerOptions Sampler,
    WeightOptions Weights,
    ArchitectureOptions Architecture,
    CostOptions Cost,
    PruneOptions Prune,
    EvidenceOptions Evidence,
    DerivationOptions Derivation,
    RetrainOptions Retrain,
    ControlOptions Controls,
    TrainerOptions Trainers,
    BlobOptions Blobs,
    FaultOptions Faults,
    string Text)
{
    /// <summary>What answers the work units.</summary>
    public EngineOptions Engine { get; init; } = EngineOptions.Torch;

    /// <summary>How the winner is chosen among the ranked candidates.</summary>
    public FinalOptions Finals { get; init; } = FinalOptions.None;

    /// <summary>SHA-256 of the canonical text.</summary>
    public Digest Hash => Digest.Of(Text);

    /// <summary>Checks a resolved tree: the configuration, or every problem found in it.</summary>
    public static (SearchConfig? Config, ValueList<ConfigProblem> Problems) Validate(ConfigNode node)
    {
        List<ConfigProblem> problems = [];
        if (node is not ConfigObject root)
            return (null, [new(node.Origin, "(root)", "not an object", "a configuration is a set of keys")]);
        ConfigSection s = new(root, string.Empty, problems);
        if (!s.IsObject("space"))
            return (null, [new(root.Origin, "space", "(missing)", "include a search space, such as: include \"../spaces/cpu-base.conf\"")]);
        SearchConfig config = Read(s, node.ToCanonicalText());
        ConfigSection space = s.Section("space");
        SearchSpace built = SearchSpace.From(space, 2);
        if (problems.Count == 0)
            CheckTogether(s, config, built);
        s.RefuseUnknownKeys();
        return problems.Count == 0 ? (config, []) : (null, problems.ToValueList());
    }

    /// <summary>Reads back the text of a first event. It was valid once; a text that is not any more is a programmer's error.</summary>
    public static SearchConfig FromCanonicalText(string text)
    {
        (SearchConfig? config, ValueList<ConfigProblem> problems) = Validate(ConfigNode.FromCanonicalText(text, "journal"));
        return config ?? throw new InvalidDataException($"The configuration in the journal is not valid in this version: {problems[0]}");
    }

    /// <summary>The search space for a data set's number of classes.</summary>
    public SearchSpace SpaceFor(int classes)
    {
        ConfigObject root = (ConfigObject)ConfigNode.FromCanonicalText(Text, "journal");
        return SearchSpace.From(new ConfigSection((ConfigObject)root.Fields["space"], "space", []), classes);
    }

    private static SearchConfig Read(ConfigSection s, string text) => new(
        SearchOptions.Read(s.Section("search")),
        DataOptions.Read(s.Section("data")),
        DifficultyOptions.Read(s.Section("difficulty")),
        CurriculumOptions.Read(s.Section("curriculum")),
        WarmupOptions.Read(s.Section("warmup")),
        StageOptions.Read(s.Section("stage")),
        RoundOptions.Read(s.Section("rounds")),
        SamplerOptions.Read(s.Section("sampler")),
        WeightOptions.Read(s.Section("weights")),
        ArchitectureOptions.Read(s.Section("architecture")),
        CostOptions.Read(s.Section("cost")),
        PruneOptions.Read(s.Section("prune")),
        EvidenceOptions.Read(s.Section("evidence")),
        DerivationOptions.Read(s.Section("derivation")),
        RetrainOptions.Read(s.Section("retrain")),
        ControlOptions.Read(s.Section("controls")),
        TrainerOptions.Read(s.Section("trainers")),
        BlobOptions.Read(s.Section("blobs")),
        FaultOptions.Read(s.Section("faults")),
        text)
    {
        Engine = s.Has("engine") ? EngineOptions.Read(s.Section("engine")) : EngineOptions.Torch, // Journals of 0.3 and before have none.
        Finals = s.Has("finals") ? FinalOptions.Read(s.Section("finals")) : FinalOptions.None,
    };

    /// <summary>Rules that hold between sections.</summary>
    private static void CheckTogether(ConfigSection s, SearchConfig c, SearchSpace space)
    {
        ConfigSection difficulty = s.Section("difficulty");
        if (c.Engine.Kind == EngineKind.Torch && space.Options is not null)
            s.Section("engine").Refuse("kind", "torch", $"{space.Name} is a tabular search space; set engine.kind = table");
        if (c.Engine.Kind == EngineKind.Table && c.Engine.Table.Length == 0)
            s.Section("engine").Refuse("table", "(empty)", "specify the file of the table: --set engine.table=PATH");
        if (c.Engine.Kind == EngineKind.Table && Strategies.Strategy.Of(c).MeasuresDifficulty)
            s.Section("curriculum").Refuse("order", ConfigSection.Kebab(c.Curriculum.Order.ToString()),
                "a table has no results for individual classes; set curriculum.order = random");
        if (c.Engine.Kind == EngineKind.Table && (c.Sampler.Kind is SamplerKind.Soft or SamplerKind.TwoPath
            || c.Sampler.Gradient == PathGradient.Gate))
        {
            (string key, string value) = c.Sampler.Kind is SamplerKind.Soft or SamplerKind.TwoPath
                ? ("kind", c.Sampler.Kind.ToString()) : ("gradient", c.Sampler.Gradient.ToString());
            s.Section("sampler").Refuse(key, ConfigSection.Kebab(value),
                "a table has no gates and no mixtures; set sampler.kind = gumbel-hard and sampler.gradient = leave-one-out");
        }

        if (c.Engine.Kind == EngineKind.Torch && space.Layers
            .Any(l => l.Candidates.Count > 1 && l.Candidates.All(b => b.Name != c.Difficulty.Block)))
            difficulty.Refuse("block", c.Difficulty.Block, $"the proxy path needs this block in every layer of {space.Name}; choose one " +
                $"of: {string.Join(", ", Everywhere(space))}");
        if (c.Difficulty is { JudgesOrder: true, Seeds: 1 } && Strategies.Strategy.Of(c).MeasuresDifficulty)
            difficulty.Refuse("seeds", "1", "at least two proxies are needed to judge whether the order is stable");
        if (c.Data.Kind != DataKind.Drawn && c.Data.Path.Length == 0)
            s.Section("data").Refuse("path", "(empty)", "specify the folder or file of the data set, or pass --data PATH");
        if (c.Data.Kind == DataKind.Drawn && c.Data.Drawn.Easiest > c.Data.Drawn.Hardest)
            s.Section("data").Section("drawn").Refuse("easiest", c.Data.Drawn.Easiest.ToString(CultureInfo.InvariantCulture),
                "must not exceed data.drawn.hardest");
        if (c.Sampler.Kind == SamplerKind.Uniform && c.Search.Strategy == StrategyKind.DaNas && c.Evidence.Kind == EvidenceKind.Probability)
            s.Section("evidence").Refuse("kind", "probability", "uniform sampling learns no probabilities; set evidence.kind = validation");
        if (c.Search.Strategy == StrategyKind.DaNas)
            CheckEvidence(s, c);
        if (c.Derivation.Random > 0 && c.Finals.Rungs == 0 && Strategies.Strategy.Of(c).TrainsSupernet)
            s.Section("derivation").Refuse("random", c.Derivation.Random.ToString(CultureInfo.InvariantCulture),
                "without finals, the supernet would also choose among the random candidates; set finals.rungs, or derivation.random = 0");
        if (c.Finals is { Count: > 0, Rungs: 0 })
            s.Section("finals").Refuse("count", c.Finals.Count.ToString(CultureInfo.InvariantCulture),
                "without rungs there are no finals; set finals.rungs, or finals.count = 0");
        if (c.Finals.Count == 1)
            s.Section("finals")
                .Refuse("count", "1", "finals need two or more candidates; finals.rungs = 0 selects the best by supernet accuracy");
        if (c.Search.Strategy == StrategyKind.RandomSearch && c.Finals.Rungs == 0)
            s.Section("finals").Refuse("rungs", "0", "strategy random-search chooses by the finals alone");
        if (c.Retrain.MeasureOn == MeasuredSplit.Validation && c.Search.Strategy is not (StrategyKind.Given or StrategyKind.Random))
            s.Section("retrain").Refuse("measure-on", "validation",
                $"strategy {ConfigSection.Kebab(c.Search.Strategy.ToString())} selects its winner on the validation split, so accuracy " +
                $"on that split is biased; only the strategies given and random can use it");
        if (c.Search.Strategy == StrategyKind.Given && c.Search.Architectures.Count == 0)
            s.Section("search").Refuse("architectures", "[]", "strategy given trains the architectures listed here");
        foreach (string text in c.Search.Architectures.Where(t => Architectures.Architecture.Parse(space, t) is null))
            s.Section("search").Refuse("architectures", text,
                $"write {space.Name}/ followed by one candidate for each of the {space.Layers.Count} layers, separated by dots");
        CheckLatency(s.Section("cost"), c.Cost, space);
        CostTable costs = CostTable.Of(space);
        long cheapest = costs.Fixed.Macs + space.Layers.Sum(l => l.Candidates.Min(b => costs.Of(l.Index, b.Name).Macs));
        if (c.Cost.TargetMacs > 0 && c.Cost.TargetMacs < cheapest)
            s.Section("cost").Refuse("target-macs", c.Cost.TargetMacs.ToString(CultureInfo.InvariantCulture),
                $"the cheapest architecture of {space.Name} needs {cheapest} MACs");
    }

    private static void CheckEvidence(ConfigSection s, SearchConfig c)
    {
        if (c.Sampler is { AverageDecay: > 0 } and not { Kind: SamplerKind.GumbelHard, Gradient: PathGradient.LeaveOneOut })
            s.Section("sampler").Refuse("average-decay", c.Sampler.AverageDecay.ToString(CultureInfo.InvariantCulture),
                "only sampler.kind = gumbel-hard with sampler.gradient = leave-one-out measures path losses; remove the key");
        if (c.Evidence.Kind == EvidenceKind.Effect && (c.Sampler.Kind != SamplerKind.GumbelHard
            || c.Sampler.Gradient != PathGradient.LeaveOneOut))
            s.Section("evidence").Refuse("kind", "effect", "effects come from the path losses of sampler.kind = gumbel-hard with " +
                "sampler.gradient = leave-one-out; other samplers: evidence.kind = probability (uniform: validation) and " +
                "prune.when = schedule");
        else if (c.Evidence.Kind == EvidenceKind.Effect && c.Prune.Rule != PruneRule.Layer)
            s.Section("evidence").Refuse("kind", "effect", "effects are differences from the mean of their layer, which only prune.rule " +
                "= layer can compare; set evidence.kind = probability");
        else if (c.Prune.When == PruneWhen.Sure && c.Evidence.Kind != EvidenceKind.Effect)
            s.Section("prune").Refuse("when", "sure", $"scores of evidence.kind = {ConfigSection.Kebab(c.Evidence.Kind.ToString())} have " +
                $"no significance test; set evidence.kind = effect, or prune.when = schedule");
    }

    private static void CheckLatency(ConfigSection s, CostOptions cost, SearchSpace space)
    {
        string target = cost.TargetMilliseconds.ToString(CultureInfo.InvariantCulture);
        if (cost.TargetMilliseconds > 0 && cost.Latency is null)
            s.Refuse("target-milliseconds", target, "a latency limit requires a table: cost.latency { include \"FILE\" } with a file " +
                "that 'danas measure --table --to FILE' wrote");
        else if (cost.Latency is { } table && table.Missing(space) is { } missing)
            s.Refuse("latency", "{ ... }", $"{missing}; the search uses {space.Name}: measure a table for it with 'danas measure --table'");
        else if (cost.TargetMilliseconds > 0 && cost.Latency!.Least(space.AllBlocks) is var least && least > cost.TargetMilliseconds)
            s.Refuse("target-milliseconds", target, Invariant(
                $"the fastest architecture of {space.Name} takes {least:0.###} ms according to the table"));
    }

    private static IEnumerable<string> Everywhere(SearchSpace space) =>
        space.Layers.Where(l => l.Candidates.Count > 1).Select(l => l.Candidates.Select(b => b.Name)).Aggregate((a, b) => a.Intersect(b));
}
