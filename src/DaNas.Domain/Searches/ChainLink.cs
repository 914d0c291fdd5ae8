using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>A blob of a chain of units, and what its unit cost.</summary>
public sealed record ChainLink(BlobRef Blob, UnitCost Cost);
