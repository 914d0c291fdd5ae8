using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Ports;

namespace DaNas.Actors.Wire;

/// <summary>
/// Manifests are short, versioned and never a CLR name: <c>round-completed/1</c>. An unknown manifest throws. A changed event gets a
/// new version and an upcaster; what was ever written stays readable.
/// </summary>
public static class WireFormat
{
    /// <summary>The serializer's identity in the journal, fixed for ever.</summary>
    public const int SerializerId = 20_031_256;

    /// <summary>An event is 64 KiB at most; weights never travel here.</summary>
    public const int MaximumEventBytes = 64 * 1024;

    private static readonly (string Manifest, Type Type)[] Known =
    [
        ("search-started/1", typeof(SearchEvent.SearchStarted)),
        ("search-resumed/1", typeof(SearchEvent.SearchResumed)),
        ("proxy-measured/1", typeof(SearchEvent.ProxyMeasured)),
        ("difficulty-measured/1", typeof(SearchEvent.DifficultyMeasured)),
        ("stage-opened/1", typeof(SearchEvent.StageOpened)),
        ("round-completed/1", typeof(SearchEvent.RoundCompleted)),
        ("evidence-gathered/1", typeof(SearchEvent.EvidenceGathered)),
        ("block-scored/1", typeof(SearchEvent.BlockScored)),
        ("blocks-pruned/1", typeof(SearchEvent.BlocksPruned)),
        ("stage-closed/1", typeof(SearchEvent.StageClosed)),
        ("architectures-ranked/1", typeof(SearchEvent.ArchitecturesRanked)),
        ("architecture-scored/1", typeof(SearchEvent.ArchitectureScored)),
        ("architecture-selected/1", typeof(SearchEvent.ArchitectureSelected)),
        ("segment-completed/1", typeof(SearchEvent.SegmentCompleted)),
        ("model-retrained/1", typeof(SearchEvent.ModelRetrained)),
        ("search-completed/1", typeof(SearchEvent.SearchCompleted)),
        ("attempt-failed/1", typeof(SearchEvent.AttemptFailed)),
        ("search-failed/1", typeof(SearchEvent.SearchFailed)),
        ("measure-difficulty/1", typeof(WorkUnit.MeasureDifficulty)),
        ("train-shard/1", typeof(WorkUnit.TrainShard)),
        ("merge-round/1", typeof(WorkUnit.MergeRound)),
        ("evaluate-blocks/1", typeof(WorkUnit.EvaluateBlocks)),
        ("evaluate-architecture/1", typeof(WorkUnit.EvaluateArchitecture)),
        ("retrain-segment/1", typeof(WorkUnit.RetrainSegment)),
        ("difficulty-point/1", typeof(UnitResult.DifficultyPoint)),
        ("shard-trained/1", typeof(UnitResult.ShardTrained)),
        ("round-merged/1", typeof(UnitResult.RoundMerged)),
        ("blocks-evaluated/1", typeof(UnitResult.BlocksEvaluated)),
        ("architecture-evaluated/1", typeof(UnitResult.ArchitectureEvaluated)),
        ("segment-retrained/1", typeof(UnitResult.SegmentRetrained)),
        ("attempt-failure/1", typeof(UnitOutcome.Failed)),
        ("dataset/1", typeof(DatasetSummary)),
    ];

    private static readonly Dictionary<string, Type> Types = Known.ToDictionary(k => k.Manifest, k => k.Type, StringComparer.Ordinal);

    private static readonly Dictionary<Type, string> Manifests = Known.ToDictionary(k => k.Type, k => k.Manifest);

    /// <summary>All manifests of this version, for tests that no type is forgotten.</summary>
    public static IReadOnlyCollection<string> AllManifests => Types.Keys;

    public static string ManifestOf(object message) =>
        Manifests.TryGetValue(message.GetType(), out string? manifest) ? manifest : throw new InvalidDataException($"{message.GetType().Name} has no manifest: it must not be stored or sent");

    public static byte[] Write(object message) => JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), DomainJson.Stored);

    /// <summary>Reads a payload; throws <see cref="InvalidDataException"/> for an unknown manifest or a payload that does not fit it.</summary>
    public static object Read(string manifest, ReadOnlySpan<byte> payload)
    {
        if (!Types.TryGetValue(manifest, out Type? type))
            throw new InvalidDataException($"unknown manifest '{manifest}': written by a newer version, or not by this product");
        try
        {
            return JsonSerializer.Deserialize(payload, type, DomainJson.Stored) ?? throw new InvalidDataException($"'{manifest}' holds null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{manifest}' cannot be read: {e.Message}", e);
        }
    }
}

/// <summary>
/// What stands in a journal row: the event, the writer's epoch, and the hash chain over everything before. Text, so that an operator
/// can read a journal with nothing but SQLite.
/// </summary>
public sealed record Envelope(string Chain, long Epoch, JsonElement Event)
{
    /// <summary>The link before the first event of a persistence id.</summary>
    public static string Genesis(string persistenceId) => Digest.Of($"danas-journal/1 {persistenceId}").Hex;

    /// <summary>Seals an event onto the chain.</summary>
    public static (byte[] Bytes, string Chain) Seal(string before, long sequence, long epoch, string manifest, byte[] payload)
    {
        if (payload.Length > WireFormat.MaximumEventBytes)
            throw new InvalidDataException($"{manifest} has {payload.Length} bytes, over the bound of {WireFormat.MaximumEventBytes}: large tables belong in blobs");
        string chain = Link(before, sequence, epoch, manifest, payload);
        using JsonDocument document = JsonDocument.Parse(payload);
        return (JsonSerializer.SerializeToUtf8Bytes(new Envelope(chain, epoch, document.RootElement), DomainJson.Stored), chain);
    }

    /// <summary>Opens a row; throws <see cref="InvalidDataException"/> when the row is not the one that was sealed here.</summary>
    public static (object Event, string Chain) Open(string before, long sequence, string manifest, byte[] bytes)
    {
        Envelope envelope;
        try
        {
            envelope = JsonSerializer.Deserialize<Envelope>(bytes, DomainJson.Stored) ?? throw new InvalidDataException($"event {sequence} is empty");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"event {sequence} is not an envelope of this product: {e.Message}", e);
        }

        byte[] payload = Encoding.UTF8.GetBytes(envelope.Event.GetRawText());
        string chain = Link(before, sequence, envelope.Epoch, manifest, payload);
        return chain == envelope.Chain
            ? (WireFormat.Read(manifest, payload), chain)
            : throw new InvalidDataException($"event {sequence} ({manifest}) does not fit the hash chain: the journal was damaged or changed");
    }

    private static string Link(string before, long sequence, long epoch, string manifest, byte[] payload)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{before}\n{sequence}\n{epoch}\n{manifest}\n")));
        hash.AppendData(payload);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
