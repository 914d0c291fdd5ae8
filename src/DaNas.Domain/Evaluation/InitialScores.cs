namespace DaNas.Domain.Evaluation;

/// <summary>
/// What a network tells before it is trained: predictors that cost next to nothing, and that a search has to be better than.
/// </summary>
/// <param name="LogSynflow">Natural logarithm of synflow, the sum of |weight x gradient| of a network of absolute weights without batch
/// norm on an input of ones (Tanaka et al. 2020; as a predictor: Abdelfattah et al. 2021).</param>
/// <param name="JacobianCovariance">-sum of ln(v + k) + 1 / (v + k), k = 1e-5, over the eigenvalues v of the correlation between the
/// images' input gradients in a batch of up to 32 (Mellor et al. 2020, first version).</param>
public sealed record InitialScores(double LogSynflow, double JacobianCovariance)
{
    /// <summary>Images of the first batch that the jacobian is taken of.</summary>
    public static int JacobianImages(int batch) => Math.Min(batch, 32);

    /// <summary>Images that both take: those, and one of ones.</summary>
    public static long Images(int batch) => JacobianImages(batch) + 1;
}
