using DaNas.Domain.Values;

namespace DaNas.Domain.SearchSpaces;

/// <summary>The names of the blocks still in the search, layer by layer, in the space's order.</summary>
public sealed record AliveBlocks(ValueList<ValueList<string>> Layers)
{
    public int Count => Layers.Sum(l => l.Count);

    /// <summary>Without the named blocks of one layer.</summary>
    public AliveBlocks Without(IReadOnlyCollection<(int Layer, string Block)> removed) =>
        new(Layers.Select((l, i) => l.Where(b => !removed.Contains((i, b))).ToValueList()).ToValueList());

    public override string ToString() => string.Join(" ", Layers.Select(l => l.Count));
}
