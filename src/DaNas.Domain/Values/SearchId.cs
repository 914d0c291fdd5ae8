using System.Text.Json.Serialization.Metadata;

namespace DaNas.Domain.Values;

/// <summary>The name of one run of one configuration; chosen outside, so outside every decision.</summary>
public sealed record SearchId(string Text) : IOutsideDecision
{
    public override string ToString() => Text;
}
