namespace DaNas.Domain.Estimates;

/// <summary>Durations for people.</summary>
public static class Durations
{
    /// <summary>Seconds as "12 s", "3 min 20 s", "5.0 h", "2.1 d" or "4 years"; "?" where the number is none.</summary>
    public static string Text(double seconds)
    {
        if (!double.IsFinite(seconds))
            return "?";
        if (seconds > 2 * 365 * 86400.0)
            return Invariant($"{seconds / (365 * 86400.0):0} years");
        TimeSpan t = TimeSpan.FromSeconds(Math.Max(0, seconds));
        return t.TotalHours >= 24 ? Invariant($"{t.TotalDays:0.0} d")
            : t.TotalHours >= 1 ? Invariant($"{t.TotalHours:0.0} h")
            : t.TotalMinutes >= 1 ? Invariant($"{(int)t.TotalMinutes} min {t.Seconds} s")
            : Invariant($"{t.Seconds} s");
    }
}
