namespace DaNas.Domain.SearchSpaces;

/// <summary>One searchable position of the chain: shapes in [C, H, W], and the candidates that may stand there.</summary>
public sealed record LayerSpec(int Index, int InChannels, int OutChannels, int Stride, int InResolution,
    Values.ValueList<BlockSpec> Candidates)
{
    /// <summary>Output height and width: stride rounds up, as padding k/2 gives.</summary>
    public int OutResolution => (InResolution + Stride - 1) / Stride;

    public bool KeepsShape => Stride == 1 && InChannels == OutChannels;

    public BlockSpec Block(string name) => Candidates.First(c => c.Name == name);
}
