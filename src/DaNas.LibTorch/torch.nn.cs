namespace TorchSharp;

public static partial class torch
{
    /// <summary>Modules and their functional forms.</summary>
    public static partial class nn
    {
        public enum Reduction
        {
            None = 0,
            Mean = 1,
            Sum = 2,
        }

        /// <summary>Wraps a tensor that is trained. The parameter takes the tensor over.</summary>
        public static Modules.Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);

        /// <summary>The operators, without state of their own.</summary>
        public static class functional
        {
            public static Tensor relu(Tensor input, bool inplace = false) => new(Native.danas_relu(input.Handle, inplace ? 1 : 0));

            public static Tensor relu6(Tensor input, bool inplace = false) => new(Native.danas_relu6(input.Handle, inplace ? 1 : 0));

            public static Tensor silu(Tensor input, bool inplace = false) => new(Native.danas_silu(input.Handle, inplace ? 1 : 0));

            /// <summary>[N, I] x [O, I] + [O] -> [N, O].</summary>
            public static Tensor linear(Tensor input, Tensor weight, Tensor? bias = null) =>
                new(Native.danas_linear(input.Handle, weight.Handle, bias?.Handle ?? IntPtr.Zero));

            /// <summary>[N, C, H, W] x [O, C/groups, k, k] -> [N, O, H', W'].</summary>
            public static Tensor conv2d(
                Tensor input,
                Tensor weight,
                Tensor? bias = null,
                long[]? strides = null,
                long[]? padding = null,
                long[]? dilation = null,
                long groups = 1) =>
                new(Native.danas_conv2d(
                    input.Handle, weight.Handle, bias?.Handle ?? IntPtr.Zero, strides?[0] ?? 1, padding?[0] ?? 0, dilation?[0] ?? 1, groups));

            public static Tensor batch_norm(
                Tensor input,
                Tensor running_mean,
                Tensor running_var,
                Tensor? weight = null,
                Tensor? bias = null,
                bool training = false,
                double momentum = 0.1,
                double eps = 1e-5) =>
                new(Native.danas_batch_norm(
                    input.Handle,
                    running_mean.Handle,
                    running_var.Handle,
                    weight?.Handle ?? IntPtr.Zero,
                    bias?.Handle ?? IntPtr.Zero,
                    training ? 1 : 0,
                    momentum,
                    eps));

            /// <summary>Logits [N, C], target [N] of int64.</summary>
            public static Tensor cross_entropy(
                Tensor input, Tensor target, Reduction reduction = Reduction.Mean, double label_smoothing = 0.0) =>
                new(Native.danas_cross_entropy(input.Handle, target.Handle, (int)reduction, label_smoothing));
        }
    }
}
