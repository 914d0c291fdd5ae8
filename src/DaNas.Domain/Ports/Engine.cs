using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Ports;

/// <summary>What became of one attempt: a result, or a failure with its cause in words. Failures are values; they never cross actors as exceptions.</summary>
public abstract record UnitOutcome
{
    public sealed record Completed(UnitResult Result) : UnitOutcome;

    /// <summary>With the blob that is missing or damaged, where that is the failure.</summary>
    public sealed record Failed(FailureKind Kind, string Cause, double LostSeconds, BlobRef? Blob = null) : UnitOutcome;
}

/// <summary>Runs work units: TorchSharp or libtorch in a process of its own, a table, a simulation.</summary>
public interface ITrainingEngine
{
    /// <summary>Runs one unit at a time. Never throws for a fault of the unit.</summary>
    Task<UnitOutcome> RunAsync(WorkUnit unit, CancellationToken cancellation);
}

/// <summary>What a trainer must know before its first unit.</summary>
public sealed record EngineContext(SearchConfig Config, DatasetSummary Data);

/// <summary>Knows data sets without decoding them.</summary>
public interface IDatasetCatalog
{
    /// <summary>Lists the data set of a configuration: classes, split sizes, fingerprint; what is left out of it are remarks. Throws <see cref="DataException"/> with the file and the remedy.</summary>
    DatasetSummary Describe(SearchConfig config, Action<string>? remark = null);
}

/// <summary>Something wrong with a data set, a blob or a journal: one line for the user, with the file and the remedy.</summary>
public sealed class DataException : Exception
{
    public DataException(string message)
        : base(message)
    {
    }

    public DataException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
