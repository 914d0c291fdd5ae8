namespace DaNas.Domain.Ports;

/// <summary>What is wrong with a blob.</summary>
public enum BlobFault
{
    /// <summary>Not there, or not what its name says: making it again helps.</summary>
    Lost,

    /// <summary>The store cannot be written now: waiting or freeing space helps.</summary>
    Unavailable,
}
