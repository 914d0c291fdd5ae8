using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Configuration;
using DaNas.Simulation.Engines;

namespace DaNas.Domain.Tests;

/// <summary>Shipped configurations and spaces, and a search driven to its end by the tabular engine.</summary>
internal static class TestSearches
{
    public static SearchConfig Config(string name = "drawn-12", params string[] sets) => ConfigLoader.Load(name, sets, null);

    public static SearchSpace Space(string name, int classes)
    {
        string file = Path.Combine(Path.GetTempPath(), $"danas-space-{Guid.NewGuid():N}.conf");
        File.WriteAllText(file, $"include \"spaces/{name}.conf\"\ndifficulty.block = " +
            $"{(name == "nas-bench-macro" || name == "bn-nas-21" ? "k3e3" : "k3e3")}\n");
        try
        {
            return Config(file).SpaceFor(classes);
        }
        finally
        {
            File.Delete(file);
        }
    }

    public static DatasetSummary Data(int classes = 12, int weights = 160, int validation = 40, int test = 100) => new(
        "drawn",
        Digest.Of("drawn"),
        Enumerable.Range(0, classes).Select(c => $"class-{c}").ToValueList(),
        Enumerable.Repeat(weights, classes).ToValueList(),
        Enumerable.Repeat(validation, classes).ToValueList(),
        Enumerable.Repeat(test, classes).ToValueList());

    /// <summary>Runs a whole search without actors: decide, evolve, answer, until it is over.</summary>
    public static (SearchState State, List<SearchEvent> Events) Run(SearchConfig config, DatasetSummary data, bool reversed = false)
    {
        LandscapeEngine engine = new(new EngineContext(config, data));
        List<SearchEvent> events = [];
        SearchState state = SearchState.Initial;
        Apply(new SearchCommand.Start(new(new SearchId("test"), config.Text, config.Hash, data, "profile", "engine")));
        for (int guard = 0; !state.IsOver && guard < 100_000; guard++)
        {
            IEnumerable<WorkUnit> units = OutstandingWork.Of(state);
            foreach (SearchCommand command in Commands(state, engine, [.. reversed ? units.Reverse() : units]))
                Apply(command);
        }

        return (state, events);

        void Apply(SearchCommand command)
        {
            if (SearchDecider.Decide(state, command) is Decision.Accepted accepted)
            {
                events.AddRange(accepted.Events);
                state = accepted.Events.Aggregate(state, SearchEvolver.Evolve);
            }
        }
    }

    private static IEnumerable<SearchCommand> Commands(SearchState state, LandscapeEngine engine, IReadOnlyList<WorkUnit> units)
    {
        switch (state.Phase)
        {
            case SearchPhase.Training p:
                ValueList<UnitResult.ShardTrained> shards = units.OrderBy(u => u.Id, StringComparer.Ordinal)
                    .Select(u => (UnitResult.ShardTrained)engine.Answer(u)).ToValueList();
                UnitResult.RoundMerged? merged = shards.Count > 1
                    ? (UnitResult.RoundMerged)engine.Answer(OutstandingWork.Merge(state, p, shards)) : null;
                return [new SearchCommand.CompleteRound(p.Stage.Index, p.Round, shards, merged)];
            case SearchPhase.Scoring p when units[0] is not WorkUnit.TestBlocks:
                ValueList<UnitResult.BlocksEvaluated> answers = units.OrderBy(u => UnitIds.Last(u.Id))
                    .Select(u => (UnitResult.BlocksEvaluated)engine.Answer(u)).ToValueList();
                return [new SearchCommand.RecordEvidence(p.Stage.Index, p.Rounds.Count,
                    Evaluation.StageEvidence.Requests(state, p), answers)];
            default:
                return [.. units.Select(u => new SearchCommand.AcceptResult(engine.Answer(u)))];
        }
    }
}

/// <summary>The folder of shared data, where there is one.</summary>
internal static class SharedData
{
    /// <summary>The path of a file under shared/data, or null where it is absent.</summary>
    public static string? Find(string relative)
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            string path = Path.Combine(d.FullName, "shared", "data", relative);
            if (File.Exists(path) || Directory.Exists(path))
                return path;
        }

        return null;
    }
}

/// <summary>The same with rows.</summary>
internal sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    public SharedDataTheoryAttribute(string relative)
    {
        if (SharedData.Find(relative) is null)
            Skip = $"shared/data/{relative} is not here (data sets are never committed)";
    }
}

/// <summary>A test that needs shared data; skipped with the reason where it is absent.</summary>
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(string relative)
    {
        if (SharedData.Find(relative) is null)
            Skip = $"shared/data/{relative} is not here (data sets are never committed)";
    }
}
