namespace DaNas.Domain.Searches;

/// <summary>Marks the events that make the decision hash; the others record work and faults, in whatever order they came.</summary>
public interface IDecision;
