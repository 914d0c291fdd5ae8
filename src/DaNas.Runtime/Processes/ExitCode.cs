namespace DaNas.Runtime.Processes;

/// <summary>Exit codes of the command line; stable.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Interrupted = 75;
}
