namespace DaNas.Domain.Configuration;

/// <summary>Where a value was written: the file (or "--set", "environment") and its line, counted from 1.</summary>
public sealed record ConfigOrigin(string File, int Line)
{
    public override string ToString() => Line > 0 ? $"{File}:{Line}" : File;
}
