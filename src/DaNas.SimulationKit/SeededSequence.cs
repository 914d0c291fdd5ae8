namespace DaNas.SimulationKit;

/// <summary>
/// Random numbers from a seed (SplitMix64; Steele, Lea and Flood, 2014). Own, because the sequence of <c>System.Random</c> is not promised
/// across versions of .NET, and a seed must replay for ever.
/// </summary>
public sealed class SeededSequence(ulong seed)
{
    private ulong state = seed;

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to <paramref name="bound"/> - 1.</summary>
    public int Below(int bound) => (int)(((Next() >> 32) * (ulong)bound) >> 32);

    /// <summary>A number in [0, 1).</summary>
    public double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));
}
