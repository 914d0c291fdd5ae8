using System.Text.Json.Serialization;
using DaNas.Domain.SearchSpaces;

namespace DaNas.Domain.Architectures;

/// <summary>An architecture with the log-score that ranked it (sum over layers) and its cost.</summary>
public sealed record RankedArchitecture(Architecture Architecture, double LogScore, Cost Cost)
{
    /// <summary>Drawn at random, not for its score.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Random { get; init; }
}
