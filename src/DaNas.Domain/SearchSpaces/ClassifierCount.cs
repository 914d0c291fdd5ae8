namespace DaNas.Domain.SearchSpaces;

/// <summary>How the classifier's cost is counted: MACs, or multiplications and additions apart (as BN-NAS's table does).</summary>
public enum ClassifierCount
{
    MultiplyAdds,
    Operations,
}
