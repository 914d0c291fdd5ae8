using DaNas.Domain.Values;

namespace DaNas.Domain.Faults;

/// <summary>What became of one probe path; null: not known yet.</summary>
public sealed record PathProbe(ValueList<string> Path, bool? Passed, string Cause);
