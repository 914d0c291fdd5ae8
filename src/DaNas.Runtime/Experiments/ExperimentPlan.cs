using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Values;
using DaNas.Evidence;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;
using DaNas.Runtime.Trainers;

namespace DaNas.Runtime.Experiments;

/// <summary>
/// One arm: a name, and the keys that it changes, as --set takes them. <paramref name="CostOf"/>: the arm is random search, at the total
/// cost that the named arm had with the same seed.
/// </summary>
internal sealed record ExperimentArm(string Name, IReadOnlyList<string> Sets, string? CostOf);

/// <summary>One search of the matrix.</summary>
internal sealed record ExperimentTrial(TrialKey Key, ExperimentArm Arm, SearchConfig Config, IReadOnlyList<string> Sets)
{
    /// <summary>Of an arm with a cost of another one: how many candidates that is.</summary>
    public CostOrigin? EqualCost { get; init; }
}

/// <summary>
/// Where the searches of an experiment end: where they end by themselves, or as soon as the blocks of a stage were scored, which is all
/// that their agreement needs.
/// </summary>
internal enum ExperimentEnd
{
    Search,
    FirstScores,
}

/// <summary>A matrix of searches, seeds x arms, as an experiment's .conf describes it.</summary>
internal sealed record ExperimentPlan(string Name, string Search, IReadOnlyList<long> Seeds, IReadOnlyList<ExperimentArm> Arms,
    string Reference, double Margin, IReadOnlyList<ExperimentTrial> Trials)
{
    public ExperimentEnd Until { get; init; }

    /// <summary>
    /// Table of trained architectures, as 'danas space probe --to' writes it, against which choices are held; null: none.
    /// </summary>
    public ProbeReport? Truth { get; init; }

    private readonly System.Collections.Concurrent.ConcurrentDictionary<DataOptions, Domain.Stages.DatasetSummary> datasets = [];

    /// <summary>Reads and checks an experiment and every configuration in it; throws <see cref="UsageException"/>.</summary>
    public static ExperimentPlan Load(string file, string? data)
    {
        string path = ConfigLoader.Locate(file, "experiments");
        List<ConfigProblem> problems = [];
        ConfigSection root = new(ConfigLoader.ResolveAlone(path), string.Empty, problems);
        ConfigSection s = root.Section("experiment");
        string name = s.Text("name");
        string search = s.Text("search");
        long[] seeds = [.. s.Ints("seeds", int.MinValue, int.MaxValue)];
        ExperimentArm[] arms = [.. s.Sections("arms").Select(
            a => new ExperimentArm(a.Text("name"), [.. a.Has("set") ? a.Texts("set") : []], a.Has("cost-of") ? a.Text("cost-of") : null))];
        string reference = s.Text("reference");
        double margin = s.Has("margin") ? s.Number("margin", 0.0001, 1) : 0.01;
        ExperimentEnd until = s.Has("until") ? s.OneOf<ExperimentEnd>("until") : ExperimentEnd.Search;
        ProbeReport? truth = s.Has("truth") ? Table(s, Path.GetDirectoryName(path)!, until) : null;
        if (problems.Count == 0 && arms.All(a => a.Name != reference))
            s.Refuse("reference", reference, $"name one of the arms: {string.Join(", ", arms.Select(a => a.Name))}");
        if (!Domain.Searches.SearchNames.AreProper(name))
            s.Refuse("name", name, "use letters, digits, '-', '_' and '.': searches and files are named after it");
        foreach (ExperimentArm arm in arms.Where(a => !Domain.Searches.SearchNames.AreProper(a.Name)
            || arms.Count(b => b.Name == a.Name) > 1))
            s.Refuse("arms", arm.Name, "arm names must be unique and consist of letters, digits, '-', '_' and '.'");
        foreach (ExperimentArm arm in arms.Where(a => a.CostOf is not null && arms.All(b => b.Name != a.CostOf || b.CostOf is not null)))
            s.Refuse("arms", arm.Name, $"cost-of = {arm.CostOf}: name an arm that has no cost-of itself: " +
                $"{string.Join(", ", arms.Where(a => a.CostOf is null).Select(a => a.Name))}");
        foreach (ExperimentArm arm in arms.Where(a => a.CostOf is not null && until != ExperimentEnd.Search))
            s.Refuse("arms", arm.Name, "cost-of needs complete searches; remove until");
        foreach (ExperimentArm arm in arms.Where(a => a.CostOf is not null
            && a.Sets.Any(x => x.StartsWith("search.strategy", StringComparison.Ordinal))))
            s.Refuse("arms", arm.Name, "cost-of makes the arm a random search; remove search.strategy");
        root.RefuseUnknownKeys();
        if (problems.Count > 0)
            throw new UsageException(string.Join('\n', problems.Select(p => p.ToString())));
        string beside = Path.Combine(Path.GetDirectoryName(path)!, search);
        string found = File.Exists(beside) ? beside : ConfigLoader.Locate(search, "searches");
        // At the cost of an arm, and with its space, data and recipes.
        arms = [.. arms.Select(a => a.CostOf is null ? a : a with { Sets = [.. arms.First(b => b.Name == a.CostOf).Sets, .. a.Sets] })];
        // Seed by seed, so that what is done at any moment can be compared; what takes its cost from another arm comes last.
        ExperimentTrial[] trials = [.. from later in (bool[])[false, true] from seed in seeds from arm in arms
            where arm.CostOf is not null == later select Trial(new(name, arm.Name, seed, string.Empty), found, arm, data, until)];
        return new(name, found, seeds, arms, reference, margin, trials) { Until = until, Truth = truth };
    }

    /// <summary>The table of trained architectures that the experiment names, from the folder of its file on.</summary>
    private static ProbeReport? Table(ConfigSection s, string folder, ExperimentEnd until)
    {
        string named = s.Text("truth");
        (ProbeReport? table, string? wrong) = ProbeTable.Read(Path.GetFullPath(Path.Combine(folder, named)));
        if ((until == ExperimentEnd.FirstScores ? "searches that end at their first scores choose no architecture that could be compared " +
            "with a table; remove until" : wrong) is { } problem)
            s.Refuse("truth", named, problem);
        return table;
    }

    /// <summary>The trial of an arm that takes its cost from another one, now that this one's is known.</summary>
    public ExperimentTrial Beside(ExperimentTrial trial, CostOrigin origin, string? data) =>
        Trial(trial.Key, Search, trial.Arm with { Sets = [.. trial.Arm.Sets, Invariant($"derivation.candidates={origin.Candidates}")] },
            data) with
        { Arm = trial.Arm, EqualCost = origin };

    /// <summary>
    /// How many candidates the cost of a search is enough for: its difficulty pass, supernet, comparison of candidates and finals.
    /// </summary>
    public int Candidates(ExperimentTrial trial, TrialResult reference)
    {
        double cost = ((string[])[TrialResult.DifficultyPass, TrialResult.Supernet, TrialResult.Comparison]).Select(reference.WorkOf)
            .Sum(w => SearchEstimate.Weighted(new(w.ForwardImages, w.BackwardImages, w.ForwardMacs)));
        return Domain.Estimates.EqualCost.Candidates(trial.Config,
            datasets.GetOrAdd(trial.Config.Data, _ => Engines.Describe(trial.Config)), cost);
    }

    private static ExperimentTrial Trial(TrialKey key, string search, ExperimentArm arm, string? data,
        ExperimentEnd until = ExperimentEnd.Search)
    {
        string[] sets = [.. arm.Sets, .. arm.CostOf is null ? [] : (string[])["search.strategy=random-search"],
            Invariant($"search.seed={key.Seed}"), Invariant($"search.name={key.Experiment}-{key.Arm}")];
        try
        {
            SearchConfig config = ConfigLoader.Load(search, sets, data);
            if (arm.CostOf is not null && config.Engine.Kind != EngineKind.Torch)
                throw new UsageException($"cost-of = {arm.CostOf}: searches of engine.kind = " +
                    $"{ConfigSection.Kebab(config.Engine.Kind.ToString())} cost evaluations, not MACs; 'danas bench " +
                    $"strategies' compares those");
            if (until == ExperimentEnd.FirstScores && !Domain.Strategies.Strategy.Of(config).TrainsSupernet)
                throw new UsageException($"until = first-scores: strategy {ConfigSection.Kebab(config.Search.Strategy.ToString())} " +
                    $"trains no supernet and scores no blocks; remove until");
            string settings = Digest.Of(ConfigLoader.Own(search, sets)
                .ToCanonicalText() + (until == ExperimentEnd.Search ? string.Empty : "\nuntil first-scores")).Hex;
            return new(key with { Settings = settings }, arm, config, sets);
        }
        catch (UsageException e)
        {
            throw new UsageException($"arm {arm.Name}: {e.Message}");
        }
    }
}
