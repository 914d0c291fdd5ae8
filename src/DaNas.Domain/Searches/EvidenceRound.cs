using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

public sealed record EvidenceRound(ValueList<BlockRequest> Requests, ValueList<ValueList<double>> Accuracies);
