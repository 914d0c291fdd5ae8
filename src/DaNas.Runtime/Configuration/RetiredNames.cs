namespace DaNas.Runtime.Configuration;

/// <summary>
/// Names of earlier versions, refused with what replaces them: an option that does nothing any more must not be passed over in silence.
/// </summary>
internal static class RetiredNames
{
    private const string OneStack = "is no longer supported: actors always run on Akka.NET and training always uses TorchSharp";
    private const string Certificates = "is no longer supported: nodes authenticate with certificates; use 'danas certificates init' and " +
        "'danas certificates issue', then --certificates DIR (or DANAS_CERTIFICATES)";

    private static readonly (string Name, string Why)[] Variables =
    [
        ("DANAS_STACK", OneStack), ("DANAS_HOST", OneStack), ("DANAS_TORCH", $"{OneStack}; for GPUs build with -p:DanasTorch=cuda"),
            ("DANAS_LIBTORCH", $"{OneStack}; libtorch comes with the package TorchSharp-cpu, or with -p:DanasTorch=cuda"),
        ("DANAS_NATIVE", $"{OneStack}; there are no native shims"), ("DANAS_SECRET_FILE", Certificates),
    ];

    private static readonly (string Name, string Why)[] Options = [("--host", OneStack), ("--secret-file", Certificates)];

    /// <summary>The line that refuses what was given; null where nothing of it is retired.</summary>
    public static string? Refuses(string[] arguments)
    {
        foreach ((string name, string why) in Options.Where(_ => arguments is not ["certificates", ..]))
        {
            if (arguments.Any(a => a == name || a.StartsWith($"{name}=", StringComparison.Ordinal)))
                return $"{name} {why}";
        }

        return Variables.Where(v => Environment.GetEnvironmentVariable(v.Name) is { Length: > 0 })
            .Select(v => $"{v.Name} {v.Why}; unset it").FirstOrDefault();
    }
}
