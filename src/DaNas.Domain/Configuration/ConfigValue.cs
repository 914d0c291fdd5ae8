namespace DaNas.Domain.Configuration;

/// <summary>A scalar as it was written, and whether it stood in quotes.</summary>
public sealed record ConfigValue(string Text, bool Quoted, ConfigOrigin Origin) : ConfigNode(Origin);
