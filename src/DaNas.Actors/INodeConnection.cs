namespace DaNas.Actors;

/// <summary>A connection between two nodes that know the same secret: frames arrive whole, in order and once, or the connection ends.</summary>
public interface INodeConnection : IAsyncDisposable
{
    /// <summary>The other side's name.</summary>
    string Peer { get; }

    /// <summary>Never blocks; false where too much waits already, or it is closed.</summary>
    bool Send(byte[] content);

    /// <summary>Carries frames until the connection ends; returns why. What arrives is valid during the call only.</summary>
    Task<string> CarryAsync(Action<ReadOnlyMemory<byte>> arrived, CancellationToken cancellation);

    /// <summary>Ends it when what waits has been sent.</summary>
    void Close();
}
