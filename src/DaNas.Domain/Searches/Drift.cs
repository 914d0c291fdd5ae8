using DaNas.Domain.Stages;

namespace DaNas.Domain.Searches;

/// <summary>Differences that a user accepted on resuming. Null members: as before.</summary>
public sealed record Drift(string? Configuration, DatasetSummary? Data, bool Engine, string EngineVersion,
    SearchEvent.HistoryLost? History);
