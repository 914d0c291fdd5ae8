using DaNas.Domain.Values;

namespace DaNas.Domain.Ports;

/// <summary>Bytes by content. A put is written aside, flushed, renamed, and its folder flushed; a get checks the hash.</summary>
public interface IBlobStore
{
    BlobRef Put(ReadOnlySpan<byte> bytes);

    /// <summary>The bytes, hash checked. Throws <see cref="DataException"/> where the blob is missing or damaged.</summary>
    byte[] Get(BlobRef blob);

    bool Contains(BlobRef blob);

    /// <summary>Removes a blob; one that is not there is no error.</summary>
    void Delete(BlobRef blob);
}
