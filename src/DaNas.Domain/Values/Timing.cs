using System.Text.Json.Serialization.Metadata;

namespace DaNas.Domain.Values;

/// <summary>Wall-clock seconds that something took.</summary>
public sealed record Timing(double Seconds) : IOutsideDecision;
