using DaNas.Actors.Logging;
using Microsoft.Extensions.Logging;

namespace DaNas.Runtime.Akka;

/// <summary>
/// What Akka itself warns of, as lines of our log; what is tried again each second is said once a minute, and of a stack trace only what
/// happened.
/// </summary>
internal sealed partial class StateLogProvider(IStateLog log) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(log, categoryName);

    public void Dispose()
    {
    }

    /// <summary>Akka's own beginning of a line: level, time, thread, source.</summary>
    [System.Text.RegularExpressions.GeneratedRegex(@"^\[[A-Z]+\]\[[^\]]*\]\[[^\]]*\]\[(?<source>[^\]]*)\] ?")]
    private static partial System.Text.RegularExpressions.Regex Beginning();

    private sealed class Logger(IStateLog log, string category) : ILogger
    {
        private const int Longest = 400;

        private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

        private readonly Lock gate = new();
        private readonly Dictionary<string, DateTimeOffset> said = new(StringComparer.Ordinal);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            string first = $"{formatter(state, exception)}{(exception is null ? string.Empty : $": {exception.Message}")}".Split('\n', 2)[0]
                .TrimEnd();
            System.Text.RegularExpressions.Match beginning = Beginning().Match(first);
            first = first[beginning.Length..];
            string cause = first.Length > Longest ? first[..Longest] : first;
            DateTimeOffset now = DateTimeOffset.UtcNow;
            lock (gate)
            {
                if (said.TryGetValue(cause, out DateTimeOffset last) && now - last < Again)
                    return;
                foreach (string old in said.Where(s => now - s.Value >= Again).Select(s => s.Key).ToList())
                    said.Remove(old);
                said[cause] = now;
            }

            log.Write($"/{(beginning.Success ? beginning.Groups["source"].Value : category)}", now,
                new StateChange(LogEvent.HostWarned, "Running", "Running") { Cause = cause });
        }
    }
}
