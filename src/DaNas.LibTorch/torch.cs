using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>The subset of TorchSharp that the training engine uses, under TorchSharp's names (api.txt lists it).</summary>
public static partial class torch
{
    /// <summary>Element types, numbered as in libtorch.</summary>
    public enum ScalarType
    {
        Byte = 0,
        Int64 = 4,
        Float32 = 6,
        Float64 = 7,
        Bool = 11,
    }

    public static readonly Device CPU = new("cpu");

    public static ScalarType float32 => ScalarType.Float32;

    public static ScalarType int64 => ScalarType.Int64;

    /// <summary>Where the shim lies: DANAS_NATIVE, or the folder <c>native</c> beside the program.</summary>
    public static string NativeLibraryPath => Path.Combine(
        Environment.GetEnvironmentVariable("DANAS_NATIVE") ?? Path.Combine(AppContext.BaseDirectory, "native"), "libdanas_torch.so");

    /// <summary>libtorch's version, as its own header says it.</summary>
    public static string LibTorchVersion => Marshal.PtrToStringUTF8(Native.danas_version()) ?? "unknown";

    /// <summary>libtorch's own description of its threads and instruction sets.</summary>
    public static string ParallelInfo => Marshal.PtrToStringUTF8(Native.danas_capability()) ?? string.Empty;

    /// <summary>Native tensors alive now, over the whole process.</summary>
    public static long LiveTensors => Native.danas_live_tensors();

    public static Device device(string description) => new(description);

    public static DisposeScope NewDisposeScope() => new();

    public static IDisposable no_grad() => new GradMode();

    public static void set_num_threads(int num) => Native.Check(Native.danas_set_threads(num));

    public static int get_num_threads() => Native.danas_threads();

    public static void set_num_interop_threads(int num) => Native.Check(Native.danas_set_interop_threads(num));

    /// <summary>Deterministic kernels only, cuDNN autotuning off.</summary>
    public static void use_deterministic_algorithms(bool mode = true) => Native.Check(Native.danas_deterministic(mode ? 1 : 0));

    public static Tensor zeros(long[] size, ScalarType? dtype = null, Device? device = null) => Full(size, 0, dtype, device);

    public static Tensor ones(long[] size, ScalarType? dtype = null, Device? device = null) => Full(size, 1, dtype, device);

    public static Tensor tensor(float[] dataArray, long[] dimensions, Device? device = null) =>
        FromData<float>(dataArray, dimensions, ScalarType.Float32, device);

    public static Tensor tensor(long[] dataArray, Device? device = null) =>
        FromData<long>(dataArray, [dataArray.Length], ScalarType.Int64, device);

    public static Tensor cat(IList<Tensor> tensors, long dim = 0)
    {
        IntPtr[] handles = [.. tensors.Select(t => t.Handle)];
        return new Tensor(Native.danas_cat(handles, handles.Length, dim));
    }

    public static Tensor sigmoid(Tensor input) => new(Native.danas_sigmoid(input.Handle));

    public static Tensor log(Tensor input) => new(Native.danas_log(input.Handle));

    private static Tensor Full(long[] size, double value, ScalarType? dtype, Device? device) =>
        new(Native.danas_full(size, size.Length, value, (int)(dtype ?? ScalarType.Float32), (device ?? CPU).ToString()));

    private static unsafe Tensor FromData<T>(T[] data, long[] shape, ScalarType dtype, Device? device)
        where T : unmanaged
    {
        long expected = shape.Aggregate(1L, (product, n) => product * n);
        if (expected != data.Length)
            throw new ArgumentException($"{data.Length} values do not fill the shape [{string.Join(", ", shape)}]", nameof(data));
        fixed (T* pointer = data)
            return new Tensor(Native.danas_from_data(pointer, shape, shape.Length, (int)dtype, (device ?? CPU).ToString()));
    }

    /// <summary>A device by libtorch's name: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>.</summary>
    public sealed class Device(string description)
    {
        public override string ToString() => description;
    }

    private sealed class GradMode : IDisposable
    {
        private readonly int before = Native.danas_grad_enabled();

        public GradMode() => Native.danas_set_grad_enabled(0);

        public void Dispose() => Native.danas_set_grad_enabled(before);
    }

    /// <summary>The accelerator, where the libtorch found was built with one.</summary>
    public static class cuda
    {
        public static bool is_available() => Native.danas_cuda_available() != 0;
    }

    /// <summary>What libtorch can and TorchSharp cannot: the engine has a plain fallback for each.</summary>
    public static class native
    {
        /// <summary>
        /// SGD with momentum over all parameters that have a gradient, in one call:
        /// b := m b + (g + d w), w := w - lr b. Parameters without a gradient, and their buffers, stay as they are.
        /// </summary>
        public static void sgd_step(IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> buffers, double[] decay, double lr, double momentum)
        {
            IntPtr[] p = [.. parameters.Select(t => t.Handle)];
            IntPtr[] b = [.. buffers.Select(t => t.Handle)];
            Native.Check(Native.danas_sgd_step(p, b, decay, p.Length, lr, momentum));
        }

        /// <summary>Lets the C library keep the pages of freed tensors; false where it does not take the setting.</summary>
        public static bool keep_pages() => Native.danas_keep_pages() == 0;

        /// <summary>Sets every gradient to null (not to zero) in one call.</summary>
        public static void null_grads(IReadOnlyList<Tensor> parameters)
        {
            IntPtr[] p = [.. parameters.Select(t => t.Handle)];
            Native.Check(Native.danas_zero_grads(p, p.Length));
        }
    }
}
