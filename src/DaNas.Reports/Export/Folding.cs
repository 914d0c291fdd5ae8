using DaNas.Domain.SearchSpaces;
using DaNas.Torch.Checkpoints;

namespace DaNas.Reports.Export;

/// <summary>
/// Batch norm in evaluation is a scale and a shift a channel, which the convolution before it can take over (Jacob et al. 2018, section
/// 3.2).
/// </summary>
internal static class Folding
{
    /// <summary>
    /// weight * gamma / sqrt(variance + epsilon), and beta - mean * gamma / sqrt(variance + epsilon); computed in double.
    /// </summary>
    public static (HostTensor Weight, HostTensor Bias) Of(TrainedModel model, string name)
    {
        HostTensor weight = model.Tensor($"{name}.weight");
        ReadOnlySpan<float> w = weight.Floats, gamma = model.Tensor($"{name}.gamma").Floats, beta = model.Tensor($"{name}.beta").Floats;
        ReadOnlySpan<float> mean = model.Tensor($"{name}.mean").Floats, variance = model.Tensor($"{name}.variance").Floats;
        float[] scaled = new float[w.Length];
        float[] bias = new float[gamma.Length];
        int each = w.Length / gamma.Length;
        for (int o = 0; o < gamma.Length; o++)
        {
            double scale = gamma[o] / Math.Sqrt(variance[o] + NetworkPlan.NormEpsilon);
            bias[o] = (float)(beta[o] - (mean[o] * scale));
            for (int i = o * each; i < (o + 1) * each; i++)
                scaled[i] = (float)(w[i] * scale);
        }

        return (HostTensor.Of(scaled, weight.Shape), HostTensor.Of(bias, gamma.Length));
    }
}
