using DaNas.Domain.Values;

namespace DaNas.Domain.Ports;

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
