namespace DaNas.Domain.Configuration;

/// <summary>
/// What a block's score is: its sampling probability over the last part of the stage, supernet accuracy with it, or its effect on the path
/// losses of the search.
/// </summary>
public enum EvidenceKind
{
    Probability,
    Validation,
    Effect,
}

/// <summary>Evidence for blocks; the fields after <paramref name="Window"/> matter for <c>validation</c> only.</summary>
public sealed record EvidenceOptions(EvidenceKind Kind, double Window, int Rounds, int PathsPerBlock, int Images,
    int RecalibrationBatches, double Confidence)
{
    internal static EvidenceOptions Read(ConfigSection s) => new(
        s.OneOf<EvidenceKind>("kind"),
        s.Number("window", 0.01, 1),
        s.Int("rounds", 1, 100),
        s.Int("paths-per-block", 1, 1000),
        s.Int("images", 1, 1_000_000),
        s.Int("recalibration-batches", 0, 1000),
        s.Number("confidence", 0.5, 0.999));
}
