namespace DaNas.Domain.Values;

/// <summary>Bytes by content: their digest and their size in bytes. Events and messages carry only this.</summary>
public sealed record BlobRef(Digest Digest, long SizeBytes);
