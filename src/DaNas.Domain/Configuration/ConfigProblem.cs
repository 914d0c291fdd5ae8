namespace DaNas.Domain.Configuration;

/// <summary>One thing wrong with a configuration: where, which key, which value, what to do.</summary>
public sealed record ConfigProblem(ConfigOrigin Origin, string Key, string Value, string Remedy)
{
    public override string ToString() => $"{Origin}: {Key} = {Value}: {Remedy}";
}
