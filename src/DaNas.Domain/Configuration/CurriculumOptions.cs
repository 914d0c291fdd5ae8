using DaNas.Domain.Values;

namespace DaNas.Domain.Configuration;

/// <summary>In which order classes enter: the method, its inverse and its controls.</summary>
public enum ClassOrder
{
    EasyFirst,
    HardFirst,
    Random,
    AllClassesSubsampled,
}

public sealed record CurriculumOptions(ClassOrder Order, ValueList<double> Fractions, int MinimumClasses)
{
    internal static CurriculumOptions Read(ConfigSection s)
    {
        ValueList<double> fractions = s.Numbers("fractions", 1e-6, 1);
        bool rising = fractions.Zip(fractions.Skip(1)).All(p => p.First <= p.Second);
        if (fractions.Count > 0 && (!rising || fractions[^1] < 1))
            s.Refuse("fractions", fractions.ToString(), "fractions must increase and end at 1.0, because the last stage uses every class");
        return new(s.OneOf<ClassOrder>("order"), fractions, s.Int("minimum-classes", 2, 100_000));
    }
}
