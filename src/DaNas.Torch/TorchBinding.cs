using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace DaNas.Torch;

/// <summary>
/// Which TorchSharp and libtorch this process has, where they are loaded from, and how they are set before the first operator.
/// </summary>
public static partial class TorchBinding
{
    /// <summary>TorchSharp and its libtorch, in words.</summary>
    public static string Description => $"TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}, libtorch {torch.__version__}";

    /// <summary>Tensors that this thread's dispose scopes hold.</summary>
    public static long LiveTensors => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    public static bool HasCuda => torch.cuda.is_available();

    /// <summary>What to say on a machine whose GPU this build cannot use; null elsewhere.</summary>
    public static string? UnusedGpu => File.Exists("/proc/driver/nvidia/version") && !HasCuda
        ? "this machine has an NVIDIA driver, but this build of danas trains only on the CPU; for GPU training, build with: dotnet build " +
            "-c Release -p:DanasTorch=cuda src/DaNas.Cli/DaNas.Cli.csproj"
        : null;

    /// <summary>Threads, determinism and memory, once a process and before the first operator.</summary>
    public static void Prepare(int threads)
    {
        torch.set_num_threads(threads);
        KeepPages();
        Deterministic();
    }

    /// <summary>
    /// libtorch stands once in a checkout, or in the publish folder's torch/, and must be loaded from there before TorchSharp looks for it
    /// by name: the system's loader may know another one.
    /// </summary>
    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255",
        Justification = "TorchSharp loads its library in a static constructor, which nothing else of this assembly comes before.")]
    internal static void PreloadWithTorchSharp()
    {
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => Preload(loaded.LoadedAssembly);
        foreach (System.Reflection.Assembly loaded in AppDomain.CurrentDomain.GetAssemblies())
            Preload(loaded);
    }

    /// <summary>
    /// The folder of libtorch: a publish folder's own, else the checkout's; null for a CUDA build, whose packages put it beside the
    /// program.
    /// </summary>
    private static string? Folder()
    {
        string beside = Path.Combine(AppContext.BaseDirectory, "torch");
        return Directory.Exists(beside) ? beside : AppContext.GetData("DaNas.Torch.Folder") is string checkout
            ? Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, checkout)) : null;
    }

    private static void Preload(System.Reflection.Assembly loaded)
    {
        if (loaded.GetName().Name != "TorchSharp")
            return;
        foreach (string library in Folder() is null ? [] : new[] { "libtorch_cpu.so", "libLibTorchSharp.so" })
            NativeLibrary.TryLoad(Path.Combine(Folder()!, library), out _); // What is wrong with a file, TorchSharp says.
    }

    /// <summary>
    /// glibc gives the pages of freed tensors back and faults them in again at the next step, which costs up to half of a step; so it is
    /// told to keep them.
    /// </summary>
    private static void KeepPages()
    {
        const int trimThreshold = -1;
        const int mmapThreshold = -3;
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libc.so.6", out IntPtr libc)
            || !NativeLibrary.TryGetExport(libc, "mallopt", out _))
            return;
        _ = mallopt(mmapThreshold, 1 << 30);
        _ = mallopt(trimThreshold, 2000 << 20);
    }

    /// <summary>
    /// TorchSharp has no switch for deterministic kernels; libtorch exports its own, which guarantee 3 (interrupted = clean) needs on GPUs.
    /// </summary>
    private static unsafe void Deterministic()
    {
        if (!NativeLibrary.TryLoad(Path.Combine(Folder() ?? string.Empty, "libtorch_cpu.so"), out IntPtr library)
            || !NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out IntPtr context)
            || !NativeLibrary.TryGetExport(library, "_ZN2at7Context26setDeterministicAlgorithmsEbb", out IntPtr set))
            throw new DllNotFoundException("libtorch_cpu.so has no switch for deterministic algorithms: this is not the libtorch version " +
                "that this build requires");
        ((delegate* unmanaged<IntPtr, byte, byte, void>)set)(((delegate* unmanaged<IntPtr>)context)(), 1, 0);
    }

    [LibraryImport("libc.so.6")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mallopt(int parameter, int value);
}
