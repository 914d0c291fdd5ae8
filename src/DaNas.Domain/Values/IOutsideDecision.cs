using System.Text.Json.Serialization.Metadata;

namespace DaNas.Domain.Values;

/// <summary>Marks a value that no decision depends on (time, identity of a run): it is stored, but left out of the decision hash.</summary>
public interface IOutsideDecision;
