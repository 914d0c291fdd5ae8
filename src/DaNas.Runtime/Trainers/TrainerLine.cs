using System.Text;
using System.Text.Json;
using DaNas.Actors.Wire;
using DaNas.Domain.Values;

namespace DaNas.Runtime.Trainers;

/// <summary>What a trainer is told first: the configuration's canonical text, the data set's summary, the blob folder.</summary>
internal sealed record TrainerOpening(string Configuration, Domain.Stages.DatasetSummary Data, string BlobFolder);

/// <summary>What it answers: ready with its numerics profile, or the reason why not.</summary>
internal sealed record TrainerGreeting(bool Ready, string Text);

/// <summary>
/// A sign of life, once a second from a thread of its own: a process that is stopped or swapped out gives none. With the native tensors
/// alive.
/// </summary>
internal sealed record TrainerPulse(long Tensors);

/// <summary>The conversation with a trainer process: one JSON object a line, manifest and body; nothing else is listened to.</summary>
internal static class TrainerLine
{
    private const string Mark = "{\"m\":\"";
    private const int LongestLine = 16 * 1024 * 1024;

    public static string Write(object message)
    {
        string manifest = message switch
        {
            TrainerOpening => "open/1",
            TrainerGreeting => "greeting/1",
            TrainerPulse => "pulse/1",
            _ => WireFormat.ManifestOf(message),
        };
        byte[] body = message is TrainerOpening or TrainerGreeting or TrainerPulse
            ? JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), DomainJson.Stored)
            : WireFormat.Write(message);
        return $"{Mark}{manifest}\",\"b\":{Encoding.UTF8.GetString(body)}}}";
    }

    /// <summary>The message of a line; null for a line that is none of ours (a library's chatter).</summary>
    public static object? Read(string line)
    {
        if (!line.StartsWith(Mark, StringComparison.Ordinal) || line.Length > LongestLine)
            return null;
        using JsonDocument document = JsonDocument.Parse(line);
        string manifest = document.RootElement.GetProperty("m").GetString()!;
        JsonElement body = document.RootElement.GetProperty("b");
        return manifest switch
        {
            "open/1" => body.Deserialize<TrainerOpening>(DomainJson.Stored),
            "greeting/1" => body.Deserialize<TrainerGreeting>(DomainJson.Stored),
            "pulse/1" => body.Deserialize<TrainerPulse>(DomainJson.Stored),
            _ => WireFormat.Read(manifest, Encoding.UTF8.GetBytes(body.GetRawText())),
        };
    }
}
