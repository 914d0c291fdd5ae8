namespace DaNas.Domain.Configuration;

/// <summary>Keys to nodes.</summary>
public sealed record ConfigObject(IReadOnlyDictionary<string, ConfigNode> Fields, ConfigOrigin Origin) : ConfigNode(Origin);
