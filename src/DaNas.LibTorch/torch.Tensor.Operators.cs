namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public static Tensor operator +(Tensor left, Tensor right) => new(Native.danas_add(left.Handle, right.Handle));

        public static Tensor operator +(Tensor left, Scalar right) => new(Native.danas_add_scalar(left.Handle, right.Value));

        public static Tensor operator -(Tensor left, Tensor right) => new(Native.danas_sub(left.Handle, right.Handle));

        public static Tensor operator *(Tensor left, Tensor right) => new(Native.danas_mul(left.Handle, right.Handle));

        public static Tensor operator *(Tensor left, Scalar right) => new(Native.danas_mul_scalar(left.Handle, right.Value));

        public static Tensor operator /(Tensor left, Tensor right) => new(Native.danas_div(left.Handle, right.Handle));

        public Tensor add(Tensor target) => this + target;

        public Tensor mul(Tensor target) => this * target;

        public Tensor mul(Scalar scalar) => this * scalar;

        public Tensor add_(Tensor target, Scalar alpha)
        {
            Native.Check(Native.danas_add_(Handle, target.Handle, alpha.Value));
            return this;
        }

        public Tensor mul_(Scalar target)
        {
            Native.Check(Native.danas_mul_scalar_(Handle, target.Value));
            return this;
        }

        public Tensor eq(Tensor target) => new(Native.danas_eq(Handle, target.Handle));

        public Tensor sqrt() => new(Native.danas_sqrt(Handle));

        public Tensor exp() => new(Native.danas_exp(Handle));

        public Tensor clamp_min(Scalar min) => new(Native.danas_clamp_min(Handle, min.Value));

        public Tensor sum() => new(Native.danas_sum(Handle));

        public Tensor mean() => new(Native.danas_mean(Handle));

        public Tensor mean(long[] dimensions, bool keepdim = false) =>
            new(Native.danas_mean_dims(Handle, dimensions, dimensions.Length, keepdim ? 1 : 0));

        public Tensor argmax(long dim) => new(Native.danas_argmax(Handle, dim));

        public Tensor softmax(long dim) => new(Native.danas_softmax(Handle, dim));

        public Tensor log_softmax(long dim) => new(Native.danas_log_softmax(Handle, dim));

        public Tensor reshape(params long[] shape) => new(Native.danas_reshape(Handle, shape, shape.Length));

        public Tensor permute(params long[] permutation) => new(Native.danas_permute(Handle, permutation, permutation.Length));

        public Tensor contiguous() => new(Native.danas_contiguous(Handle));

        public Tensor index_select(long dim, Tensor index) => new(Native.danas_index_select(Handle, dim, index.Handle));

        public Tensor select(long dim, long index) => new(Native.danas_select(Handle, dim, index));
    }
}
