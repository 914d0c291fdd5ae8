using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>
/// Arithmetic of tensors with numbers. TorchSharp 0.107 turns a number into an object that frees its native memory when the garbage
/// collector finds it unused, which it may be while libtorch still reads it (its operators do so for a + b, too, whose second summand has a
/// factor of 1): a training step then fails, seldom and anywhere, with "toFloat" in the message. Here the number lives until the call is
/// over.
/// </summary>
internal static class Scalars
{
    private static readonly Scalar One = 1.0.ToScalar();

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a + number.</summary>
    public static Tensor Plus(this Tensor a, double number)
    {
        using Scalar held = number.ToScalar();
        return a.add(held, One);
    }

    /// <summary>a x number.</summary>
    public static Tensor Times(this Tensor a, double number)
    {
        using Scalar held = number.ToScalar();
        return a.mul(held);
    }

    /// <summary>a := a x number.</summary>
    public static Tensor Scale(this Tensor a, double number)
    {
        using Scalar held = number.ToScalar();
        return a.mul_(held);
    }

    /// <summary>a := a + number x b.</summary>
    public static Tensor Add(this Tensor a, Tensor b, double number)
    {
        using Scalar held = number.ToScalar();
        return a.add_(b, held);
    }
}
