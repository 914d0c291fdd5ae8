using DaNas.Domain.Values;

namespace DaNas.Domain.Ports;

/// <summary>What is wrong with a blob.</summary>
public enum BlobFault
{
    /// <summary>Not there, or not what its name says: making it again helps.</summary>
    Lost,

    /// <summary>The store cannot be written now: waiting or freeing space helps.</summary>
    Unavailable,
}

/// <summary>A blob that cannot be read or written: one line for the user, with the file and the remedy.</summary>
public sealed class BlobException : Exception
{
    public BlobException(BlobFault fault, BlobRef? blob, string message, Exception? inner = null)
        : base(message, inner)
    {
        Fault = fault;
        Blob = blob;
    }

    public BlobFault Fault { get; }

    /// <summary>The lost blob; null where a new one could not be written.</summary>
    public BlobRef? Blob { get; }
}
