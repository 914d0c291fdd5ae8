namespace DaNas.Domain.Configuration;

public enum TensorLayout
{
    ChannelsLast,
    Default,
}

public sealed record TrainerOptions(int Count, int Threads, TensorLayout Layout, string Device, double UnitDeadlineSeconds,
    int Attempts, double SilenceSeconds)
{
    /// <summary>Free memory in bytes that a trainer's device must have before it is given this search; 0: whatever it has.</summary>
    public long MemoryBytes { get; init; }

    internal static TrainerOptions Read(ConfigSection s)
    {
        string device = s.Text("device");
        if (device != "cpu" && device != "cuda" && !device.StartsWith("cuda:", StringComparison.Ordinal))
            s.Refuse("device", device, "use cpu, cuda or cuda:N");
        return new(
            s.Int("count", 1, 1024), s.Int("threads", 1, 256), s.OneOf<TensorLayout>("layout"), device,
                s.Seconds("unit-deadline", 1, 86_400), s.Int("attempts", 1, 100), s.Seconds("silence", 1, 86_400))
        {
            MemoryBytes = s.Has("memory") ? s.Bytes("memory", 0, 1L << 50) : 0, // Journals of 0.1 have no such key.
        };
    }
}
