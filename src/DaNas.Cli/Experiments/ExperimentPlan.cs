using DaNas.Cli.Configuration;
using DaNas.Cli.Running;
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;
using DaNas.Evidence;

namespace DaNas.Cli.Experiments;

/// <summary>One arm: a name, and the keys that it changes, as --set takes them.</summary>
internal sealed record ExperimentArm(string Name, IReadOnlyList<string> Sets);

/// <summary>One search of the matrix.</summary>
internal sealed record ExperimentCell(CellKey Key, SearchConfig Config, IReadOnlyList<string> Sets);

/// <summary>A matrix of searches, seeds x arms, as an experiment's .conf describes it.</summary>
internal sealed record ExperimentPlan(string Name, string Search, IReadOnlyList<long> Seeds, IReadOnlyList<ExperimentArm> Arms, string Reference, IReadOnlyList<ExperimentCell> Cells)
{
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
        ExperimentArm[] arms = [.. s.Sections("arms").Select(a => new ExperimentArm(a.Text("name"), [.. a.Has("set") ? a.Texts("set") : []]))];
        string reference = s.Text("reference");
        if (problems.Count == 0 && arms.All(a => a.Name != reference))
            s.Refuse("reference", reference, $"name one of the arms: {string.Join(", ", arms.Select(a => a.Name))}");
        if (!Actors.Cluster.SearchNames.AreProper(name))
            s.Refuse("name", name, "use letters, digits, '-', '_' and '.': searches and files are named after it");
        foreach (ExperimentArm arm in arms.Where(a => !Actors.Cluster.SearchNames.AreProper(a.Name) || arms.Count(b => b.Name == a.Name) > 1))
            s.Refuse("arms", arm.Name, "an arm's name is unique and has letters, digits, '-', '_' and '.'");
        root.RefuseUnknownKeys();
        if (problems.Count > 0)
            throw new UsageException(string.Join('\n', problems.Select(p => p.ToString())));
        string beside = Path.Combine(Path.GetDirectoryName(path)!, search);
        string found = File.Exists(beside) ? beside : ConfigLoader.Locate(search, "searches");
        // Seed by seed, so that what is done at any moment can be compared.
        ExperimentCell[] cells = [.. from seed in seeds from arm in arms select Cell(new(name, arm.Name, seed, string.Empty), found, arm, data)];
        return new(name, found, seeds, arms, reference, cells);
    }

    private static ExperimentCell Cell(CellKey key, string search, ExperimentArm arm, string? data)
    {
        string[] sets = [.. arm.Sets, Verbs.Output.Text($"search.seed={key.Seed}"), Verbs.Output.Text($"search.name={key.Experiment}-{key.Arm}")];
        try
        {
            SearchConfig config = ConfigLoader.Load(search, sets, data);
            string settings = Digest.Of(ConfigLoader.Own(search, sets).ToCanonicalText()).Hex;
            return new(key with { Settings = settings }, config, sets);
        }
        catch (UsageException e)
        {
            throw new UsageException($"arm {arm.Name}: {e.Message}");
        }
    }
}
