using DaNas.Domain.Architectures;
using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

/// <summary>
/// The end of one retraining: "winner", "runner-up-N", "control-N" or "winner-compared", with "-seedK" behind it where each is trained more
/// than once.
/// </summary>
public sealed record RetrainedModel(string Run, Architecture Architecture, double TestAccuracy, Digest WeightsHash);
