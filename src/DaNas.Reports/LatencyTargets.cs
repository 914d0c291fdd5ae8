using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>The architectures whose latency is measured. All throw <see cref="UsageException"/>.</summary>
internal static class LatencyTargets
{
    public static SearchSpace Buildable(SearchSpace space) => space.Options is null
        ? space
        : throw new UsageException($"{space.Name} is a tabular search space: its networks cannot be built, so their " +
            $"latency cannot be measured");

    public static Architecture Find(SearchSpace space, string text) => Architecture.Parse(space, text)
        ?? throw new UsageException($"'{text}' is not an architecture of {space.Name}: write {space.Name}/ followed by one candidate per " +
            $"layer, separated by dots; use --conf for another search space");

    /// <summary>The retrained models of a search, or the architecture that it has chosen so far.</summary>
    public static IEnumerable<Architecture> Models(SearchSpace space, SearchRecord record)
    {
        if (record.State.Space!.Name != space.Name)
            throw new UsageException($"search {record.Id} uses the search space {record.State.Space.Name}, not {space.Name}; " +
                $"measure it separately");
        Architecture[] retrained = [.. record.Events.Select(e => e.Event).OfType<SearchEvent.ModelRetrained>()
            .Select(m => m.Architecture).Distinct()];
        return retrained.Length > 0 ? retrained : [record.State.Selected?.Winner
            ?? throw new UsageException($"search {record.Id} has not chosen an architecture yet")];
    }

    public static IEnumerable<Architecture> Random(SearchSpace space, int count)
    {
        SeededRandom random = new(SeededRandom.Derive(1, "measure"));
        for (int i = 0; i < count; i++)
            yield return new Architecture(space.Name, space.Layers
                .Select(l => l.Candidates[random.NextInt(l.Candidates.Count)].Name).ToValueList());
    }
}
