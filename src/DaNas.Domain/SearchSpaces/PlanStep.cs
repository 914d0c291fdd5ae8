namespace DaNas.Domain.SearchSpaces;

/// <summary>One step of a network, by the name under which its tensors are kept.</summary>
public abstract record PlanStep(string Name)
{
    /// <summary>
    /// Convolution without bias (padding Kernel / 2), batch norm, activation (null: none): [N, Input, H, W] to [N, Output, ceil(H /
    /// Stride), ceil(W / Stride)]. Tensors: weight [Output, Input / Groups, Kernel, Kernel], gamma, beta, mean, variance [Output].
    /// </summary>
    public sealed record Conv(string Name, int Input, int Output, int Kernel, int Stride, int Groups,
        Activation? Activation) : PlanStep(Name);

    /// <summary>
    /// Squeeze-excite (Hu et al. 2018): x * sigmoid(expand(relu(reduce(mean of x)))). Tensors: reduce [Squeeze, Channels], reduce-bias,
    /// expand [Channels, Squeeze], expand-bias.
    /// </summary>
    public sealed record Squeeze(string Name, int Channels, int Inner) : PlanStep(Name);
}
