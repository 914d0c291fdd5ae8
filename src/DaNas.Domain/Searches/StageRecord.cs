using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>A stage that is over, for reports.</summary>
public sealed record StageRecord(StagePlan Plan, AliveBlocks Before, AliveBlocks After, UnitCost Cost, double Loss, double Accuracy);
