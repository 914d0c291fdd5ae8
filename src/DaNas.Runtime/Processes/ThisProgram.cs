using System.Diagnostics;
using System.Reflection;

namespace DaNas.Runtime.Processes;

/// <summary>The program that runs: what people call it, and how it is started again in a process of its own.</summary>
internal static class ThisProgram
{
    /// <summary>How this program is started from here; scripts/danas says it.</summary>
    public static string Name { get; } = Environment.GetEnvironmentVariable("DANAS_COMMAND") is { Length: > 0 } command ? command : "danas";

    private static string Executable => Environment.ProcessPath!;

    /// <summary>A start of this program with redirected output and error.</summary>
    /// <param name="arguments">The verb and its options.</param>
    /// <param name="before">Another command, which must become the process (as <c>ip netns exec</c> does); empty: none.</param>
    public static ProcessStartInfo Start(IEnumerable<string> arguments, params IReadOnlyList<string> before)
    {
        ProcessStartInfo start = new(before.Count > 0 ? before[0] : Executable)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false
        };
        foreach (string word in before.Count > 0 ? before.Skip(1).Append(Executable) : [])
            start.ArgumentList.Add(word);
        if (Path.GetFileNameWithoutExtension(Executable) == "dotnet")
            start.ArgumentList.Add(Assembly.GetEntryAssembly()!.Location);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>Starts this program with its output thrown away.</summary>
    public static Process Launch(IReadOnlyList<string> arguments, params IReadOnlyList<(string Name, string Value)> environment) =>
        Launch(Start(arguments), environment);

    /// <inheritdoc cref="Launch(IReadOnlyList{string}, IReadOnlyList{ValueTuple{string, string}})"/>
    public static Process Launch(ProcessStartInfo start, params IReadOnlyList<(string Name, string Value)> environment)
    {
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}
