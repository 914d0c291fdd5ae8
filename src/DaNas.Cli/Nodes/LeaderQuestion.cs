using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Domain.Values;
using Microsoft.AspNetCore.Http;

namespace DaNas.Cli.Nodes;

/// <summary>
/// Who leads? Anybody may ask; the answer carries a code over the asker's nonce, so that a machine without the secret cannot send nodes to a wrong leader. A
/// node that does not reach the leader says so, with a code of its own.
/// </summary>
internal static class LeaderQuestion
{
    public const string Path = "/leader";
    public const string Proof = "X-Danas-Proof";

    private const string Node = "X-Danas-Waiting";
    private const string NodeProof = "X-Danas-Waiting-Proof";
    private const int LongestName = 200;
    public const int LongestAnswer = 64 * 1024;

    /// <summary>Seconds for which a node's word that it waits can be said again by somebody who overheard it; clocks may differ by that much.</summary>
    private const long Period = 30;

    /// <summary>Throws <see cref="InvalidDataException"/> for an answer of somebody who does not know the secret.</summary>
    public static async Task<LeaderView?> AskAsync(HttpClient http, LinkSecret secret, string coordinator, string? waitingNode, CancellationToken cancellation)
    {
        string nonce = LinkSecret.Nonce();
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri($"{coordinator}{Path}?nonce={nonce}"));
        if (waitingNode is not null)
        {
            request.Headers.Add(Node, waitingNode);
            request.Headers.Add(NodeProof, secret.Proof("waiting", nonce, waitingNode, coordinator, PeriodOf(DateTimeOffset.UtcNow)));
        }

        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation);
        response.EnsureSuccessStatusCode();
        string body = await response.Content.ReadAsStringAsync(cancellation);
        if (!secret.Proves(response.Headers.TryGetValues(Proof, out IEnumerable<string>? proof) ? proof.First() : null, "leader", nonce, body))
            throw new InvalidDataException("does not know the cluster's secret");
        return JsonSerializer.Deserialize<LeaderView>(body, DomainJson.Stored);
    }

    /// <summary>The node that says that it waits; null where none does, or its code is wrong.</summary>
    public static string? WaitingNode(HttpRequest request, LinkSecret secret, string nonce, string coordinator)
    {
        string name = request.Headers[Node].ToString();
        string proof = request.Headers[NodeProof].ToString();
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return name.Length is > 0 and <= LongestName && nonce.Length <= LongestName
            && new[] { -Period, 0, Period }.Any(s => secret.Proves(proof, "waiting", nonce, name, coordinator, PeriodOf(now.AddSeconds(s)))) ? name : null;
    }

    private static string PeriodOf(DateTimeOffset time) => (time.ToUnixTimeSeconds() / Period).ToString(CultureInfo.InvariantCulture);
}

/// <summary>Nodes that asked lately, and do not reach the leader.</summary>
internal sealed class WaitingNodes
{
    private const int Most = 10_000;

    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, long> asked = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            foreach ((string name, long at) in asked)
            {
                if (Stopwatch.GetElapsedTime(at) > Lately)
                    asked.TryRemove(name, out _);
            }

            return asked.Count;
        }
    }

    public void Add(string node)
    {
        if (asked.Count < Most)
            asked[node] = Stopwatch.GetTimestamp();
    }
}
