using TorchSharp;

namespace DaNas.Torch;

/// <summary>Which torch this build stands on, in words; the one place that knows that there are two.</summary>
public static class TorchBinding
{
#if TORCHSHARP
    public const string Name = "TorchSharp";

    public static string Description => $"TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}, made for libtorch {torch.__version__}";

    public static long LiveTensors => DisposeScopeManager.Statistics.ThreadTotalLiveCount;
#else
    public const string Name = "native libtorch binding";

    /// <summary>The binding and libtorch's version; throws <see cref="DllNotFoundException"/> with the remedy where it is missing.</summary>
    public static string Description => $"native libtorch {torch.LibTorchVersion}";

    /// <summary>Native tensors alive in this process.</summary>
    public static long LiveTensors => torch.LiveTensors;
#endif

    public static bool HasCuda => torch.cuda.is_available();

    /// <summary>Threads and determinism, once a process and before the first operator.</summary>
    public static void Prepare(int threads)
    {
        torch.set_num_threads(threads);
#if !TORCHSHARP
        torch.use_deterministic_algorithms(true);
        torch.native.keep_pages();
#endif
    }
}
