using System.Collections.Concurrent;
using System.Diagnostics;
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
    private const int LongestAnswer = 64 * 1024;

    /// <summary>Throws <see cref="InvalidDataException"/> for an answer of somebody who does not know the secret.</summary>
    public static async Task<LeaderView?> AskAsync(HttpClient http, LinkSecret secret, string coordinator, string? waitingNode, CancellationToken cancellation)
    {
        string nonce = LinkSecret.Nonce();
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri($"{coordinator}{Path}?nonce={nonce}"));
        if (waitingNode is not null)
        {
            request.Headers.Add(Node, waitingNode);
            request.Headers.Add(NodeProof, secret.Proof("waiting", nonce, waitingNode));
        }

        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation);
        response.EnsureSuccessStatusCode();
        if (response.Content.Headers.ContentLength is not <= LongestAnswer)
            throw new InvalidDataException("too long an answer for a leader's name");
        string body = await response.Content.ReadAsStringAsync(cancellation);
        if (!secret.Proves(response.Headers.TryGetValues(Proof, out IEnumerable<string>? proof) ? proof.First() : null, "leader", nonce, body))
            throw new InvalidDataException("does not know the cluster's secret");
        return JsonSerializer.Deserialize<LeaderView>(body, DomainJson.Stored);
    }

    /// <summary>The node that says that it waits; null where none does, or its code is wrong.</summary>
    public static string? WaitingNode(HttpRequest request, LinkSecret secret, string nonce)
    {
        string name = request.Headers[Node].ToString();
        return name.Length is > 0 and <= LongestName && nonce.Length <= LongestName && secret.Proves(request.Headers[NodeProof].ToString(), "waiting", nonce, name) ? name : null;
    }
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
