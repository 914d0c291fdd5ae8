using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;

namespace DaNas.Runtime.Cluster;

/// <summary>Whether a search fits on a trainer's device beside what is there already.</summary>
internal static class DeviceMemory
{
    private const long MiB = 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Throws <see cref="DataException"/> where less is free than the search's configuration asks for.</summary>
    public static async Task AdmitAsync(TrainerOptions options, string? device, CancellationToken stop)
    {
        if (options.MemoryBytes == 0)
            return;
        bool cuda = device is not null || options.Device != "cpu";
        string which = cuda ? $"CUDA device {device ?? IndexOf(options.Device)}" : "this machine";
        long free = cuda ? await FreeOfCudaAsync(device ?? IndexOf(options.Device), stop)
            : FreeOfMachine(await File.ReadAllTextAsync("/proc/meminfo", stop));
        if (free < options.MemoryBytes)
            throw new DataException(
                Invariant($"{which} has {free / MiB} MiB free, but trainers.memory requires {options.MemoryBytes / MiB} MiB; stop other " +
                    $"programs there, or lower trainers.memory"));
    }

    /// <summary>Bytes that can be had without swapping, from the text of /proc/meminfo.</summary>
    public static long FreeOfMachine(string memoryInfo)
    {
        string line = Array.Find(memoryInfo.Split('\n'), l => l.StartsWith("MemAvailable:", StringComparison.Ordinal))
            ?? throw new DataException("/proc/meminfo does not report the available memory; set trainers.memory = 0B");
        return long.Parse(line.Split(':')[1].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
    }

    private static string IndexOf(string device) => device.IndexOf(':', StringComparison.Ordinal) is var colon and > 0
        ? device[(colon + 1)..] : "0";

    private static async Task<long> FreeOfCudaAsync(string index, CancellationToken stop)
    {
        try
        {
            using Process asked = Process.Start(new ProcessStartInfo("nvidia-smi", ["--query-gpu=memory.free",
                "--format=csv,noheader,nounits", "-i", index])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(Patience);
            string text = await asked.StandardOutput.ReadToEndAsync(patience.Token);
            await asked.WaitForExitAsync(patience.Token);
            return long.TryParse(text.Trim(), NumberStyles.Integer, CultureInfo.InvariantCulture,
                out long free) ? free * MiB : throw new DataException(
                $"nvidia-smi does not report the free memory of device {index} ({text.Trim()}); set trainers.memory = 0B");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new DataException($"nvidia-smi has not answered for {Patience.TotalSeconds:0} s; check the driver of device {index} " +
                $"('nvidia-smi'), or set trainers.memory = 0B");
        }
        catch (Win32Exception e)
        {
            throw new DataException($"nvidia-smi was not found, so the free memory of CUDA device {index} is not known ({e.Message}); " +
                $"set trainers.memory = 0B", e);
        }
    }
}
