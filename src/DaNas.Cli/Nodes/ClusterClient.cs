using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Embedded;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Cli.Configuration;
using DaNas.Cli.Running;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Storage.Http;

namespace DaNas.Cli.Nodes;

/// <summary>A user's side of a cluster: submits, follows, and brings the result home. It may come and go; the search does not depend on it.</summary>
internal sealed class ClusterClient : IAsyncDisposable
{
    /// <summary>Begins the names of those who only ask and watch.</summary>
    public const string NamePrefix = "client~";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(300);

    private readonly EmbeddedHost host;
    private readonly LeaderLink link;
    private readonly Questions questions;
    private readonly CancellationTokenSource ending = new();
    private readonly Task linking;
    private readonly LinkSecret secret;

    public ClusterClient(IReadOnlyList<string> join, LinkSecret secret)
    {
        if (secret.IsNone && join.Any(j => !NodeSettings.IsLoopback(j)))
            throw new UsageException("a cluster on other machines needs its secret: --secret-file FILE or DANAS_SECRET_FILE");
        this.secret = secret;
        host = new EmbeddedHost(new HostOptions(), null, new Silence(), TimeProvider.System) { Name = $"{NamePrefix}{Guid.NewGuid().ToString("N")[..8]}" };
        LinkHub hub = new(host);
        host.Links = hub;
        questions = new Questions(host);
        link = new LeaderLink(host, hub, secret, join);
        linking = link.RunAsync(ending.Token);
    }

    public async Task<T> AskAsync<T>(Func<string, IAsk> question, CancellationToken cancellation)
        where T : class, IAsk
    {
        try
        {
            return await questions.AskAsync<T>(Roles.Cluster, question, Patience, cancellation);
        }
        catch (TimeoutException)
        {
            throw new UsageException($"the cluster does not answer ({link.LastFailure}); are its coordinators up ('danas node --roles coordinator'), and is the secret the same?");
        }
    }

    /// <summary>Begins a search; returns when it has begun, or throws with the cluster's reason. While no node can describe the data, that is waited for.</summary>
    public async Task SubmitAsync(string id, SearchConfig config, Action<string> waits, CancellationToken cancellation)
    {
        for (bool said = false; ; said = true)
        {
            try
            {
                ClusterProtocol.Answer answer = await questions.AskAsync<ClusterProtocol.Answer>(Roles.Cluster, ask => new ClusterProtocol.SubmitSearch(ask, id, config.Text), Patience, cancellation);
                if (answer.Failure is { } why)
                    throw new UsageException(why);
                return;
            }
            catch (TimeoutException) when (link.IsUp)
            {
                if (!said)
                    waits($"search {id} waits in the cluster: no node with trainers has described its data yet ('danas nodes ls --cluster ...' lists the nodes); Ctrl-C leaves it there");
            }
            catch (TimeoutException)
            {
                throw new UsageException($"the cluster does not answer ({link.LastFailure}); are its coordinators up ('danas node --roles coordinator'), and is the secret the same?");
            }
        }
    }

    /// <summary>Goes on with a search that had stopped; one that runs goes on anyway.</summary>
    public async Task ResumeAsync(string id, CancellationToken cancellation)
    {
        ClusterProtocol.Answer answer = await AskAsync<ClusterProtocol.Answer>(ask => new ClusterProtocol.ResumeSearch(ask, id), cancellation);
        if (answer.Failure is { } why)
            throw new UsageException(why);
    }

    /// <summary>Follows a search to its end, through changes of the leader; each event is told once, in order, with the state after it.</summary>
    public async Task<SearchRecord> FollowAsync(string id, Action<SearchEvent, SearchState> stored, Action<string> trouble, CancellationToken cancellation)
    {
        List<StoredEvent> events = [];
        SearchState state = SearchState.Initial;
        string? told = null;
        while (true)
        {
            ClusterProtocol.Followed next;
            try
            {
                next = await questions.AskAsync<ClusterProtocol.Followed>(Roles.Cluster, ask => new ClusterProtocol.Follow(ask, id, events.Count), Patience, cancellation);
            }
            catch (TimeoutException)
            {
                continue; // Nobody leads; the search goes on when somebody does.
            }

            if (next.Failure is not null && next.Failure != told)
                trouble($"the journal of {id} cannot be read just now ({next.Failure}); waiting");
            told = next.Failure;

            foreach (FollowedEvent e in next.Events.Where(e => e.Sequence == events.Count + 1))
            {
                SearchEvent read = (SearchEvent)WireFormat.Read(e.Manifest, System.Text.Encoding.UTF8.GetBytes(e.Payload));
                events.Add(new StoredEvent(e.Sequence, new DateTimeOffset(e.CreatedTicks, TimeSpan.Zero), e.Manifest, read));
                state = SearchEvolver.Evolve(state, read);
                stored(read, state);
            }

            if (state.IsOver && next.Events.Count == 0 && next.Failure is null)
                return new SearchRecord(id, events, state);
            if (next.Events.Count == 0)
                await Task.Delay(Poll, cancellation);
        }
    }

    /// <summary>Brings a blob of a search into a folder here.</summary>
    public async Task FetchAsync(OutputFolder folder, string id, BlobRef blob, CancellationToken cancellation)
    {
        using BlobClient client = new((search, digest) => secret.Proof("blob", search, digest));
        ClusterProtocol.NodeList nodes = await AskAsync<ClusterProtocol.NodeList>(ask => new ClusterProtocol.ListNodes(ask), cancellation);
        await client.EnsureAsync(folder.OpenBlobs(id), id, blob, [.. link.Leader is { } leader ? (string[])[leader] : [], .. nodes.Nodes.Select(n => n.Node.Address)], cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await linking;
        await host.DisposeAsync();
        link.Dispose();
        ending.Dispose();
    }

    private sealed class Silence : Actors.Logging.IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, Actors.Logging.StateChange change)
        {
        }
    }
}
