using System.Text.Json.Serialization.Metadata;

namespace DaNas.Domain.Values;

/// <summary>Words for people about a decision, which does not depend on them.</summary>
public sealed record Remark(string Text) : IOutsideDecision
{
    public override string ToString() => Text;
}
