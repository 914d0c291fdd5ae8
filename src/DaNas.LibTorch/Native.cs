using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace TorchSharp;

/// <summary>The C border (native/danas_torch.cpp). A tensor-making call returns 0 on failure, every other one -1.</summary>
internal static partial class Native
{
    private const string Library = "danas_torch";

    static Native() => NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, Resolve);

    /// <summary>Turns a failed call into an exception that carries libtorch's own message.</summary>
    public static IntPtr Check(IntPtr handle) =>
        handle != IntPtr.Zero ? handle : throw new ExternalException(Marshal.PtrToStringUTF8(danas_error()) ?? "libtorch failed");

    /// <inheritdoc cref="Check(IntPtr)"/>
    public static void Check(int status)
    {
        if (status != 0)
            throw new ExternalException(Marshal.PtrToStringUTF8(danas_error()) ?? "libtorch failed");
    }

    private static IntPtr Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
            return IntPtr.Zero;
        string file = torch.NativeLibraryPath;
        if (NativeLibrary.TryLoad(file, out IntPtr handle))
            return handle;
        throw new DllNotFoundException(
            File.Exists(file)
                ? $"{file} does not load: the libtorch that it was built on is not on the loader's path. Run scripts/bootstrap.sh, or set LD_LIBRARY_PATH to libtorch's lib folder."
                : $"{file} is missing: run scripts/bootstrap.sh to build the native shim, or set DANAS_NATIVE to the folder that holds it.");
    }

    [LibraryImport(Library)] public static partial IntPtr danas_error();
    [LibraryImport(Library)] public static partial IntPtr danas_version();
    [LibraryImport(Library)] public static partial IntPtr danas_capability();
    [LibraryImport(Library)] public static partial long danas_live_tensors();
    [LibraryImport(Library)] public static partial int danas_threads();
    [LibraryImport(Library)] public static partial int danas_set_threads(int n);
    [LibraryImport(Library)] public static partial int danas_set_interop_threads(int n);
    [LibraryImport(Library)] public static partial int danas_cuda_available();
    [LibraryImport(Library)] public static partial int danas_deterministic(int on);
    [LibraryImport(Library)] public static partial int danas_keep_pages();
    [LibraryImport(Library)] public static partial int danas_grad_enabled();
    [LibraryImport(Library)] public static partial void danas_set_grad_enabled(int on);

    [LibraryImport(Library)] public static partial void danas_free(IntPtr t);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial IntPtr danas_from_data(void* data, long[] shape, long rank, int dtype, string device);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial IntPtr danas_full(long[] shape, long rank, double value, int dtype, string device);
    [LibraryImport(Library)] public static partial long danas_rank(IntPtr t);
    [LibraryImport(Library)] public static partial void danas_shape(IntPtr t, long[] result);
    [LibraryImport(Library)] public static partial long danas_numel(IntPtr t);
    [LibraryImport(Library)] public static partial long danas_nbytes(IntPtr t);
    [LibraryImport(Library)] public static partial int danas_dtype(IntPtr t);
    [LibraryImport(Library)] public static partial int danas_is_cpu(IntPtr t);
    [LibraryImport(Library)] public static partial int danas_is_contiguous(IntPtr t);
    [LibraryImport(Library)] public static partial IntPtr danas_data(IntPtr t);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial IntPtr danas_to_device(IntPtr t, string device);
    [LibraryImport(Library)] public static partial IntPtr danas_to_dtype(IntPtr t, int dtype);
    [LibraryImport(Library)] public static partial IntPtr danas_alias(IntPtr t);
    [LibraryImport(Library)] public static partial IntPtr danas_clone(IntPtr t);
    [LibraryImport(Library)] public static partial IntPtr danas_detach(IntPtr t);
    [LibraryImport(Library)] public static partial int danas_copy_(IntPtr t, IntPtr source);
    [LibraryImport(Library)] public static partial int danas_zero_(IntPtr t);

    [LibraryImport(Library)] public static partial int danas_requires_grad(IntPtr t);
    [LibraryImport(Library)] public static partial int danas_set_requires_grad(IntPtr t, int on);
    [LibraryImport(Library)] public static partial int danas_backward(IntPtr t);
    [LibraryImport(Library)] public static partial int danas_has_grad(IntPtr t);
    [LibraryImport(Library)] public static partial IntPtr danas_grad(IntPtr t);
    [LibraryImport(Library)] public static partial int danas_set_grad(IntPtr t, IntPtr grad);

    [LibraryImport(Library)] public static partial IntPtr danas_add(IntPtr a, IntPtr b);
    [LibraryImport(Library)] public static partial IntPtr danas_sub(IntPtr a, IntPtr b);
    [LibraryImport(Library)] public static partial IntPtr danas_mul(IntPtr a, IntPtr b);
    [LibraryImport(Library)] public static partial IntPtr danas_div(IntPtr a, IntPtr b);
    [LibraryImport(Library)] public static partial IntPtr danas_add_scalar(IntPtr a, double b);
    [LibraryImport(Library)] public static partial IntPtr danas_mul_scalar(IntPtr a, double b);
    [LibraryImport(Library)] public static partial int danas_add_(IntPtr a, IntPtr b, double alpha);
    [LibraryImport(Library)] public static partial int danas_mul_scalar_(IntPtr a, double b);
    [LibraryImport(Library)] public static partial IntPtr danas_eq(IntPtr a, IntPtr b);
    [LibraryImport(Library)] public static partial IntPtr danas_sqrt(IntPtr a);
    [LibraryImport(Library)] public static partial IntPtr danas_exp(IntPtr a);
    [LibraryImport(Library)] public static partial IntPtr danas_log(IntPtr a);
    [LibraryImport(Library)] public static partial IntPtr danas_clamp_min(IntPtr a, double low);
    [LibraryImport(Library)] public static partial IntPtr danas_sum(IntPtr a);
    [LibraryImport(Library)] public static partial IntPtr danas_mean(IntPtr a);
    [LibraryImport(Library)] public static partial IntPtr danas_mean_dims(IntPtr a, long[] d, long n, int keep);
    [LibraryImport(Library)] public static partial IntPtr danas_argmax(IntPtr a, long dim);
    [LibraryImport(Library)] public static partial IntPtr danas_softmax(IntPtr a, long dim);
    [LibraryImport(Library)] public static partial IntPtr danas_log_softmax(IntPtr a, long dim);

    [LibraryImport(Library)] public static partial IntPtr danas_reshape(IntPtr a, long[] d, long n);
    [LibraryImport(Library)] public static partial IntPtr danas_permute(IntPtr a, long[] d, long n);
    [LibraryImport(Library)] public static partial IntPtr danas_contiguous(IntPtr a);
    [LibraryImport(Library)] public static partial IntPtr danas_index_select(IntPtr a, long dim, IntPtr index);
    [LibraryImport(Library)] public static partial IntPtr danas_select(IntPtr a, long dim, long index);
    [LibraryImport(Library)] public static partial IntPtr danas_cat(IntPtr[] list, long count, long dim);

    [LibraryImport(Library)] public static partial IntPtr danas_relu(IntPtr a, int inplace);
    [LibraryImport(Library)] public static partial IntPtr danas_relu6(IntPtr a, int inplace);
    [LibraryImport(Library)] public static partial IntPtr danas_silu(IntPtr a, int inplace);
    [LibraryImport(Library)] public static partial IntPtr danas_sigmoid(IntPtr a);
    [LibraryImport(Library)] public static partial IntPtr danas_linear(IntPtr x, IntPtr w, IntPtr b);
    [LibraryImport(Library)]
    public static partial IntPtr danas_conv2d(IntPtr x, IntPtr w, IntPtr b, long stride, long padding, long dilation, long groups);
    [LibraryImport(Library)]
    public static partial IntPtr danas_batch_norm(IntPtr x, IntPtr mean, IntPtr var, IntPtr w, IntPtr b, int training, double momentum, double eps);
    [LibraryImport(Library)]
    public static partial IntPtr danas_cross_entropy(IntPtr logits, IntPtr target, int reduction, double smoothing);
    [LibraryImport(Library)]
    public static partial int danas_sgd_step(IntPtr[] parameters, IntPtr[] buffers, double[] decay, long count, double lr, double momentum);
    [LibraryImport(Library)] public static partial int danas_zero_grads(IntPtr[] parameters, long count);
}
