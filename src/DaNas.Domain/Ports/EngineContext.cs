using DaNas.Domain.Configuration;
using DaNas.Domain.Stages;

namespace DaNas.Domain.Ports;

/// <summary>What a trainer must know before its first unit.</summary>
public sealed record EngineContext(SearchConfig Config, DatasetSummary Data);
