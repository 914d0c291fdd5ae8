using System.Text.Json;
using System.Text.Json.Serialization;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

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
        ("blocks-tested/1", typeof(SearchEvent.BlocksTested)),
        ("stage-extended/1", typeof(SearchEvent.StageExtended)),
        ("block-scored/1", typeof(SearchEvent.BlockScored)),
        ("blocks-pruned/1", typeof(SearchEvent.BlocksPruned)),
        ("stage-closed/1", typeof(SearchEvent.StageClosed)),
        ("architectures-ranked/1", typeof(SearchEvent.ArchitecturesRanked)),
        ("architecture-scored/1", typeof(SearchEvent.ArchitectureScored)),
        ("finals-opened/1", typeof(SearchEvent.FinalsOpened)),
        ("finalist-measured/1", typeof(SearchEvent.FinalistMeasured)),
        ("architecture-selected/1", typeof(SearchEvent.ArchitectureSelected)),
        ("segment-completed/1", typeof(SearchEvent.SegmentCompleted)),
        ("model-retrained/1", typeof(SearchEvent.ModelRetrained)),
        ("search-completed/1", typeof(SearchEvent.SearchCompleted)),
        ("attempt-failed/1", typeof(SearchEvent.AttemptFailed)),
        ("search-failed/1", typeof(SearchEvent.SearchFailed)),
        ("rolled-back/1", typeof(SearchEvent.RolledBack)),
        ("blob-lost/1", typeof(SearchEvent.BlobLost)),
        ("probing-started/1", typeof(SearchEvent.ProbingStarted)),
        ("path-probed/1", typeof(SearchEvent.PathProbed)),
        ("blocks-quarantined/1", typeof(SearchEvent.BlocksQuarantined)),
        ("nondeterminism-detected/1", typeof(SearchEvent.NondeterminismDetected)),
        ("configuration-changed/1", typeof(SearchEvent.ConfigurationChanged)),
        ("operation-changed/1", typeof(SearchEvent.OperationChanged)),
        ("data-changed/1", typeof(SearchEvent.DataChanged)),
        ("engine-changed/1", typeof(SearchEvent.EngineChanged)),
        ("search-forked/1", typeof(SearchEvent.SearchForked)),
        ("history-lost/1", typeof(SearchEvent.HistoryLost)),
        ("measure-difficulty/1", typeof(WorkUnit.MeasureDifficulty)),
        ("train-shard/1", typeof(WorkUnit.TrainShard)),
        ("merge-round/1", typeof(WorkUnit.MergeRound)),
        ("evaluate-blocks/1", typeof(WorkUnit.EvaluateBlocks)),
        ("test-blocks/1", typeof(WorkUnit.TestBlocks)),
        ("probe-path/1", typeof(WorkUnit.ProbePath)),
        ("evaluate-architecture/1", typeof(WorkUnit.EvaluateArchitecture)),
        ("retrain-segment/1", typeof(WorkUnit.RetrainSegment)),
        ("difficulty-point/1", typeof(UnitResult.DifficultyPoint)),
        ("shard-trained/1", typeof(UnitResult.ShardTrained)),
        ("round-merged/1", typeof(UnitResult.RoundMerged)),
        ("blocks-evaluated/1", typeof(UnitResult.BlocksEvaluated)),
        ("block-tests/1", typeof(UnitResult.BlocksTested)),
        ("path-passed/1", typeof(UnitResult.PathPassed)),
        ("architecture-evaluated/1", typeof(UnitResult.ArchitectureEvaluated)),
        ("segment-retrained/1", typeof(UnitResult.SegmentRetrained)),
        ("attempt-failure/1", typeof(UnitOutcome.Failed)),
        ("attempt-completed/1", typeof(UnitOutcome.Completed)),
        ("submit/1", typeof(DispatchProtocol.Submit)),
        ("trainer-ready/1", typeof(DispatchProtocol.TrainerReady)),
        ("run-attempt/1", typeof(DispatchProtocol.RunAttempt)),
        ("attempt-ended/1", typeof(DispatchProtocol.AttemptEnded)),
        ("unit-done/1", typeof(DispatchProtocol.UnitDone)),
        ("unit-failed/1", typeof(DispatchProtocol.UnitFailed)),
        ("late-result/1", typeof(DispatchProtocol.LateResult)),
        ("dataset/1", typeof(DatasetSummary)),
        ("attempt-noted/1", typeof(DispatchProtocol.AttemptNoted)),
        ("node-here/1", typeof(ClusterProtocol.NodeHere)),
        ("node-noted/1", typeof(ClusterProtocol.NodeNoted)),
        ("node-refused/1", typeof(ClusterProtocol.NodeRefused)),
        ("roster/1", typeof(ClusterProtocol.Roster)),
        ("discard/1", typeof(ClusterProtocol.Discard)),
        ("keep/1", typeof(ClusterProtocol.Keep)),
        ("submit-search/1", typeof(ClusterProtocol.SubmitSearch)),
        ("resume-search/1", typeof(ClusterProtocol.ResumeSearch)),
        ("answer/1", typeof(ClusterProtocol.Answer)),
        ("describe/1", typeof(ClusterProtocol.Describe)),
        ("described/1", typeof(ClusterProtocol.Described)),
        ("open-search/1", typeof(ClusterProtocol.OpenSearch)),
        ("opened/1", typeof(ClusterProtocol.Opened)),
        ("replicate/1", typeof(ClusterProtocol.Replicate)),
        ("follow/1", typeof(ClusterProtocol.Follow)),
        ("followed/1", typeof(ClusterProtocol.Followed)),
        ("list-nodes/1", typeof(ClusterProtocol.ListNodes)),
        ("set-duty/1", typeof(ClusterProtocol.SetDuty)),
        ("node-list/1", typeof(ClusterProtocol.NodeList)),
        ("list-searches/1", typeof(ClusterProtocol.ListSearches)),
        ("search-list/1", typeof(ClusterProtocol.SearchList)),
    ];

    private static readonly Dictionary<string, Type> Types = Known.ToDictionary(k => k.Manifest, k => k.Type, StringComparer.Ordinal);

    private static readonly Dictionary<Type, string> Manifests = Known.ToDictionary(k => k.Type, k => k.Manifest);

    /// <summary>The stored form, and units, results and outcomes inside messages under their own manifests.</summary>
    private static readonly JsonSerializerOptions Options = new(DomainJson.Stored)
    {
        Converters = { new UnderManifest<WorkUnit>(), new UnderManifest<UnitResult>(), new UnderManifest<UnitOutcome>() },
    };

    /// <summary>All manifests of this version, for tests that no type is forgotten.</summary>
    public static IReadOnlyCollection<string> AllManifests => Types.Keys;

    public static string ManifestOf(object message) =>
        Manifests.TryGetValue(message.GetType(), out string? manifest)
            ? manifest : throw new InvalidDataException($"{message.GetType().Name} has no manifest: it must not be stored or sent");

    /// <summary>Whether values of a type are stored and sent at all.</summary>
    public static bool Has(Type type) => Manifests.ContainsKey(type);

    public static Type TypeOf(string manifest) => Types[manifest];

    public static byte[] Write(object message) => JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), Options);

    /// <summary>
    /// Reads a payload; throws <see cref="InvalidDataException"/> for an unknown manifest or a payload that does not fit it.
    /// </summary>
    public static object Read(string manifest, ReadOnlySpan<byte> payload)
    {
        if (!Types.TryGetValue(manifest, out Type? type))
            throw new InvalidDataException($"unknown manifest '{manifest}': written by a newer version, or not by this product");
        try
        {
            return JsonSerializer.Deserialize(payload, type, Options) ?? throw new InvalidDataException($"'{manifest}' holds null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{manifest}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// A member of an abstract type: <c>{"manifest": "train-shard/1", "body": {...}}</c>; the manifest alone says which type it is.
    /// </summary>
    private sealed class UnderManifest<T> : JsonConverter<T>
        where T : class
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert == typeof(T);

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            string manifest = document.RootElement.TryGetProperty("manifest", out JsonElement m)
                ? m.GetString() ?? string.Empty : string.Empty;
            if (!Types.TryGetValue(manifest, out Type? type) || !typeof(T).IsAssignableFrom(type)
                || !document.RootElement.TryGetProperty("body", out JsonElement body))
                throw new JsonException($"'{manifest}' is no {typeof(T).Name}");
            return (T)body.Deserialize(type, options)!;
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WriteString("manifest", ManifestOf(value));
            writer.WritePropertyName("body");
            JsonSerializer.Serialize(writer, value, value.GetType(), options);
            writer.WriteEndObject();
        }
    }
}
