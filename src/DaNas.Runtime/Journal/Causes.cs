namespace DaNas.Runtime.Journal;

/// <summary>What another library wrapped around a store's own failure.</summary>
internal static class Causes
{
    /// <summary>The failure itself and all that it holds.</summary>
    public static IEnumerable<Exception> Within(Exception e) => e is AggregateException several
        ? several.InnerExceptions.SelectMany(Within).Prepend(e)
        : e.InnerException is { } inner ? Within(inner).Prepend(e) : [e];
}
