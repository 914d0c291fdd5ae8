namespace DaNas.Domain.SearchSpaces;

/// <summary>The non-linearity between the convolutions of a block.</summary>
public enum Activation
{
    Relu,
    Relu6,
    Swish,
}
