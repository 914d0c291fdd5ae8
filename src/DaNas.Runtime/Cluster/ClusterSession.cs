using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DaNas.Actors.Cluster;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Blobs.Http;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// A user's side of a cluster, over its HTTPS API: submits, follows, and brings the result home. It may come and go; the search does not
/// depend on it.
/// </summary>
internal sealed class ClusterSession : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(300);

    private readonly LeaderFinder finder;
    private readonly HttpClient http;
    private readonly Certificates? certificates;
    private LeaderAddress? leader;

    public ClusterSession(IReadOnlyList<NodeAddress> coordinators, Certificates? certificates)
    {
        this.certificates = certificates;
        finder = new LeaderFinder(certificates, () => coordinators);
        http = NodeHttp.Client(certificates, TimeSpan.FromSeconds(12));
    }

    public Task<ValueList<NodeStatus>> NodesAsync(CancellationToken stop) =>
        SendAsync<ValueList<NodeStatus>>(HttpMethod.Get, "/api/nodes", null, Patience, stop);

    public Task<ValueList<NodeStatus>> SetDutyAsync(string node, NodeDuty duty, CancellationToken stop) => SendAsync<ValueList<NodeStatus>>(
        HttpMethod.Put, $"/api/nodes/{Uri.EscapeDataString(node)}/duty", new DutyRequest(duty), Patience, stop);

    /// <summary>
    /// Begins a search; returns when it has begun, or throws with the cluster's reason. While no node can describe the data, that is waited
    /// for.
    /// </summary>
    public async Task SubmitAsync(string id, SearchConfig config, Action<string> waits, CancellationToken stop)
    {
        for (bool said = false; ; said = true)
        {
            try
            {
                await SendAsync<string>(HttpMethod.Post, "/api/searches", new SearchRequest(id, config.Text), Patience, stop);
                return;
            }
            catch (TimeoutException) when (leader is not null)
            {
                if (!said)
                    waits($"search {id} is waiting in the cluster: no node with trainers has described its data yet ('danas nodes ls " +
                        $"--cluster ...' lists the nodes); Ctrl-C detaches without cancelling it");
            }
        }
    }

    /// <summary>Goes on with a search that had stopped; one that runs goes on anyway.</summary>
    public Task ResumeAsync(string id, CancellationToken stop) =>
        SendAsync<string>(HttpMethod.Post, $"/api/searches/{Uri.EscapeDataString(id)}/resume", null, Patience, stop);

    /// <summary>
    /// Follows a search to its end, through changes of the leader; each event is told once, in order, with the state after it.
    /// </summary>
    public async Task<SearchRecord> FollowAsync(string id, Action<SearchEvent, SearchState> stored,
        Action<string> trouble, CancellationToken stop)
    {
        List<StoredEvent> events = [];
        SearchState state = SearchState.Initial;
        string? told = null;
        while (true)
        {
            ValueList<FollowedEvent> next;
            try
            {
                next = await SendAsync<ValueList<FollowedEvent>>(
                    HttpMethod.Get, $"/api/searches/{Uri.EscapeDataString(id)}/events?after={events.Count}", null, Patience, stop);
                told = null;
            }
            catch (Exception e) when (e is TimeoutException or UsageException)
            {
                if (e is UsageException && e.Message != told)
                    trouble($"the journal of {id} is temporarily unreadable ({e.Message}); waiting");
                told = e.Message;
                await Task.Delay(Poll, stop);
                continue; // The search goes on when somebody leads.
            }

            foreach (FollowedEvent e in next.Where(e => e.Sequence == events.Count + 1))
            {
                SearchEvent read = (SearchEvent)WireFormat.Read(e.Manifest, System.Text.Encoding.UTF8.GetBytes(e.Payload));
                events.Add(new StoredEvent(e.Sequence, new DateTimeOffset(e.CreatedTicks, TimeSpan.Zero), e.Manifest, read));
                state = SearchEvolver.Evolve(state, read);
                stored(read, state);
            }

            if (state.IsOver && next.Count == 0)
                return new SearchRecord(id, events, state);
            if (next.Count == 0)
                await Task.Delay(Poll, stop);
        }
    }

    /// <summary>Brings a blob of a search into a folder here.</summary>
    public async Task FetchAsync(OutputFolder folder, string id, BlobRef blob, CancellationToken stop)
    {
        ValueList<NodeStatus> nodes = await NodesAsync(stop);
        using BlobClient client = NodeHttp.Blobs(certificates);
        await client.EnsureAsync(folder.OpenBlobs(id), id, blob,
            [.. leader is { } l ? (string[])[l.Url] : [], .. nodes.Select(n => n.Node.Address)], stop);
    }

    public void Dispose()
    {
        finder.Dispose();
        http.Dispose();
    }

    /// <summary>
    /// To whoever leads, again until there is an answer. Throws <see cref="UsageException"/> with the cluster's reason or where no
    /// coordinator is reached, <see cref="TimeoutException"/> where nobody answers in time.
    /// </summary>
    private async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, TimeSpan patience, CancellationToken stop)
    {
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        do
        {
            leader ??= await finder.FindAsync(null, stop);
            if (leader is null)
            {
                await Task.Delay(Poll, stop);
                continue;
            }

            try
            {
                using HttpRequestMessage request = new(method, new Uri($"{leader.Url}{path}"))
                {
                    Content = body is null
                    ? null : JsonContent.Create(body, body.GetType(), options: DomainJson.Stored)
                };
                using HttpResponseMessage response = await http.SendAsync(request, stop);
                string text = await response.Content.ReadAsStringAsync(stop);
                if (response.IsSuccessStatusCode)
                    return JsonSerializer.Deserialize<T>(text, DomainJson.Stored)!;
                if (response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.BadRequest)
                    throw new UsageException(JsonSerializer.Deserialize<ApiProblem>(text, DomainJson.Stored)!.Error);
                if ((int)response.StatusCode is >= 400 and < 500)
                {
                    string why = response.StatusCode == HttpStatusCode.RequestEntityTooLarge
                        ? ": the configuration is too large" : string.Empty;
                    throw new UsageException($"{leader.Url}{path} returned HTTP {(int)response.StatusCode}{why}");
                }


                leader = response.StatusCode == HttpStatusCode.ServiceUnavailable ? null : leader;
                await Task.Delay(Poll, stop);
            }
            catch (Exception e) when (e is HttpRequestException or JsonException
                || (e is OperationCanceledException && !stop.IsCancellationRequested))
            {
                leader = null;
            }
        }
        while (System.Diagnostics.Stopwatch.GetElapsedTime(started) < patience);

        throw leader is null
            ? new UsageException($"the cluster does not respond ({finder.LastFailure}); are its coordinators running ('danas node " +
                $"--roles coordinator')?")
            : new TimeoutException($"the leader at {leader.Url} did not respond within {patience.TotalSeconds:0} s");
    }
}
