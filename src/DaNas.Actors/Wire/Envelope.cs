using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DaNas.Domain.Values;

namespace DaNas.Actors.Wire;

/// <summary>
/// What stands in a journal row: the event, the writer's epoch, and the hash chain over everything before. Text, so that an operator
/// can read a journal with nothing but SQLite.
/// </summary>
public sealed record Envelope(string Chain, long Epoch, JsonElement Event)
{
    /// <summary>When the event was sealed, where the row's own time is another program's; null: the row's time.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public long? SealedTicks { get; init; }

    /// <summary>The link before the first event of a persistence id.</summary>
    public static string Genesis(string persistenceId) => Digest.Of($"danas-journal/1 {persistenceId}").Hex;

    /// <summary>Seals an event onto the chain; <paramref name="withTime"/> where the row's time is not ours to set.</summary>
    public static (byte[] Bytes, string Chain) Seal(string before, RowHead head, long epoch, byte[] payload, bool withTime = false)
    {
        if (payload.Length > WireFormat.MaximumEventBytes)
            throw new InvalidDataException($"{head.Manifest} has {payload.Length} bytes, which exceeds the limit of " +
                $"{WireFormat.MaximumEventBytes}: large tables belong in blobs");
        string chain = Link(before, head, epoch, payload);
        using JsonDocument document = JsonDocument.Parse(payload);
        return (JsonSerializer.SerializeToUtf8Bytes(new Envelope(chain, epoch, document.RootElement)
        {
            SealedTicks = withTime
            ? head.CreatedTicks : null
        }, DomainJson.Stored), chain);
    }

    /// <summary>Opens a row; throws <see cref="InvalidDataException"/> when the row is not the one that was sealed here.</summary>
    public static (object Event, string Chain, long Epoch, long Ticks) Open(string before, RowHead head, byte[] bytes)
    {
        Envelope envelope;
        byte[] payload;
        try
        {
            envelope = JsonSerializer.Deserialize<Envelope>(bytes, DomainJson.Stored)
                ?? throw new InvalidDataException($"event {head.Sequence} is empty");
            payload = Encoding.UTF8.GetBytes(envelope.Event.GetRawText());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperation: bytes that are no UTF-8.
            throw new InvalidDataException($"event {head.Sequence} is not an envelope of this product: {e.Message}", e);
        }

        long ticks = envelope.SealedTicks ?? head.CreatedTicks;
        string chain = Link(before, head with { CreatedTicks = ticks }, envelope.Epoch, payload);
        return chain == envelope.Chain
            ? (WireFormat.Read(head.Manifest, payload), chain, envelope.Epoch, ticks)
            : throw new InvalidDataException($"event {head.Sequence} ({head.Manifest}) does not match the hash chain: the journal " +
                $"was damaged or modified");
    }

    /// <summary>The event's bytes in a row whose chain nobody checks here.</summary>
    public static byte[] PayloadOf(byte[] bytes)
    {
        try
        {
            return Encoding.UTF8.GetBytes(JsonSerializer.Deserialize<Envelope>(bytes, DomainJson.Stored)!.Event.GetRawText());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new InvalidDataException($"a row is not an envelope of this product: {e.Message}", e);
        }
    }

    /// <summary>The epoch of a row; 0 where it cannot be read (reading the journal then says what is wrong).</summary>
    public static long EpochOf(byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<Envelope>(bytes, DomainJson.Stored)?.Epoch ?? 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return 0;
        }
    }

    private static string Link(string before, RowHead head, long epoch, byte[] payload)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(Invariant($"{before}\n{head.Sequence}\n{head.CreatedTicks}\n{epoch}\n{head.Manifest}\n")));
        hash.AppendData(payload);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
