using System.Text.Json;
using DaNas.Domain.Values;

namespace DaNas.Runtime.Cluster;

/// <summary>Who leads? All coordinators are asked at once; only the one that holds the singleton says so.</summary>
internal sealed class LeaderFinder(Certificates? certificates, Func<IReadOnlyList<NodeAddress>> coordinators) : IDisposable
{
    private static readonly TimeSpan EachWaits = TimeSpan.FromMilliseconds(250);

    /// <summary>A first TLS handshake between busy machines takes longer than an answer.</summary>
    private static readonly TimeSpan FirstWaits = TimeSpan.FromSeconds(2);

    private readonly HttpClient http = NodeHttp.Client(certificates, Timeout.InfiniteTimeSpan);
    private bool answered;

    /// <summary>Why nobody was found, by coordinator; for whoever waits.</summary>
    public string LastFailure { get; private set; } = "no coordinator has been contacted yet";

    /// <summary>Null where nobody leads, or nobody is reached. A node that waits for a leader says so to those that do not lead.</summary>
    public async Task<LeaderAddress?> FindAsync(string? waiting, CancellationToken stop)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(answered ? EachWaits : FirstWaits);
        List<Task<(LeaderAddress? Leader, string Failure)>> asked = [.. coordinators().Select(c => AskAsync(c, waiting, patience.Token))];
        List<string> failures = [];
        while (asked.Count > 0)
        {
            Task<(LeaderAddress? Leader, string Failure)> first = await Task.WhenAny(asked);
            asked.Remove(first);
            (LeaderAddress? leader, string failure) = await first;
            if (leader is not null)
            {
                answered = true;
                await patience.CancelAsync(); // Whoever has not answered yet is not waited for.
                return leader;
            }

            failures.Add(failure);
        }

        stop.ThrowIfCancellationRequested();
        LastFailure = failures.Count == 0 ? "no coordinator is known" : string.Join("; ", failures.Order(StringComparer.Ordinal));
        return null;
    }

    /// <summary>Why no coordinator would have this node; null where one would, or cannot say.</summary>
    public async Task<string?> RefusalAsync(string cluster, CancellationToken stop)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(FirstWaits);
        foreach (NodeAddress coordinator in coordinators())
        {
            try
            {
                NodeAbout? about = JsonSerializer.Deserialize<NodeAbout>(await http
                    .GetStringAsync(new Uri($"{coordinator.Url(certificates is not null)}/about"), patience.Token), DomainJson.Stored);
                if (about is null || about.Cluster == cluster)
                    return null;
                return $"{coordinator} is a coordinator of cluster '{about.Cluster}', but this node belongs to cluster '{cluster}': " +
                    $"correct --cluster-name or --join";
            }
            catch (Exception e) when (e is HttpRequestException or JsonException or OperationCanceledException
                && !stop.IsCancellationRequested)
            {
                // Asked again as long as nobody leads.
            }
        }

        return null;
    }

    public void Dispose() => http.Dispose();

    private async Task<(LeaderAddress? Leader, string Failure)> AskAsync(
        NodeAddress coordinator, string? waiting, CancellationToken patience)
    {
        try
        {
            using HttpResponseMessage response = await http.GetAsync(new Uri($"{coordinator.Url(certificates is not null)}/leader" +
                $"{(waiting is null ? string.Empty : $"?waiting={Uri.EscapeDataString(waiting)}")}"), patience);
            answered = true;
            return response.StatusCode switch
            {
                System.Net.HttpStatusCode.OK => (JsonSerializer.Deserialize<LeaderAddress>(
                    await response.Content.ReadAsStringAsync(patience), DomainJson.Stored), string.Empty),
                System.Net.HttpStatusCode.ServiceUnavailable => (null, $"{coordinator} is not the leader"),
                System.Net.HttpStatusCode.Forbidden => (null, $"{coordinator} requires a certificate: add --certificates DIR"),
                _ => (null, $"{coordinator} returned HTTP {(int)response.StatusCode}: is that the HTTPS port of a coordinator?"),
            };
        }
        catch (OperationCanceledException)
        {
            return (null, $"{coordinator} did not respond in time");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            return (null, $"{coordinator}: {Words(e)}");
        }
    }

    private static string Words(Exception e) => e.GetBaseException() is System.Security.Authentication.AuthenticationException refused
        ? $"the certificates do not match ({refused.Message})"
        : e.GetBaseException().Message;
}
