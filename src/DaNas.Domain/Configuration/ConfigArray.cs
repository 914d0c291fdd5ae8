namespace DaNas.Domain.Configuration;

/// <summary>An ordered list of nodes.</summary>
public sealed record ConfigArray(IReadOnlyList<ConfigNode> Items, ConfigOrigin Origin) : ConfigNode(Origin);
