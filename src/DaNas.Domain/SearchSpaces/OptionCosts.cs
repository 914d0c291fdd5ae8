using DaNas.Domain.Values;

namespace DaNas.Domain.SearchSpaces;

/// <summary>
/// MACs of a table space: what all architectures share, and one list a position in the order of its options; no lists: costs are absent,
/// and every architecture counts as 0.
/// </summary>
public sealed record OptionCosts(long FixedMacs, ValueList<ValueList<long>> Macs);
