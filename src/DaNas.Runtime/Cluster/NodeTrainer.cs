using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Searches;
using DaNas.Runtime.Trainers;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// One trainer of a node, behind its actor's port: opens searches as the leader describes them, brings a unit's blobs here, runs it in a
/// process of its own, and sees its result copied to the leader's store before it is reported.
/// </summary>
internal sealed class NodeTrainer(int number, NodeSettings settings, Questions questions, NodeBlobs blobs,
    Action<string> chatter) : IAsyncDisposable
{
    /// <summary>Processes kept open for different searches; changing between them then costs no start.</summary>
    private const int MostOpen = 2;

    /// <summary>Each takes the leader several seconds.</summary>
    private const int MostRefusals = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A process that has had nothing to do for so long gives its memory back.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(5);

    private readonly List<Open> open = [];
    private readonly SemaphoreSlim busy = new(1);
    private readonly Lock gate = new();
    private volatile TrainerProcess? current;
    private (string Search, string Unit, long Lease, Task<UnitOutcome> Outcome)? running;

    public double SilentSeconds => current?.SilentSeconds ?? 0;

    /// <summary>
    /// A unit that runs already is joined: its actor may have been made anew meanwhile. One that has ended answers its own lease alone:
    /// another one asks for the work again.
    /// </summary>
    public Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt, CancellationToken stop)
    {
        lock (gate)
        {
            if (running is not { } r || (r.Outcome.IsCompleted && r.Lease != attempt.Lease) || r.Search != attempt.Search
                || r.Unit != attempt.Unit.Id)
                running = (attempt.Search, attempt.Unit.Id, attempt.Lease,
                    Task.Run(() => RunAnewAsync(attempt, stop), CancellationToken.None));
            running = running.Value with { Lease = attempt.Lease };
            return running.Value.Outcome;
        }
    }

    private async Task<UnitOutcome> RunAnewAsync(DispatchProtocol.RunAttempt attempt, CancellationToken stop)
    {
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        try
        {
            await busy.WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return new UnitOutcome.Failed(FailureKind.Cancelled, $"{settings.Name} is stopping", 0);
        }

        try
        {
            Open opened = await OpenAsync(attempt, stop);
            foreach (BlobRef input in WorkUnit.InputsOf(attempt.Unit))
                await blobs.EnsureAsync(attempt.Search, input, stop);
            UnitOutcome outcome = await RunAsync(opened, attempt.Unit, stop);
            if (outcome is UnitOutcome.Failed { Kind: FailureKind.MissingBlob, Blob: { } damaged })
            {
                blobs.Drop(attempt.Search, damaged); // The copy here is bad; another node's need not be.
                await blobs.EnsureAsync(attempt.Search, damaged, stop);
                outcome = await RunAsync(opened, attempt.Unit, stop);
            }

            if (outcome is UnitOutcome.Completed { Result: var result } && UnitResult.OutputOf(result) is { } output)
                await ReplicateAsync(attempt.Search, output, stop);
            opened.Used = System.Diagnostics.Stopwatch.GetTimestamp();
            return outcome;
        }
        catch (BlobException e) when (e.Blob is { } lost)
        {
            return new UnitOutcome.Failed(FailureKind.MissingBlob, e.Message, Seconds(), lost);
        }
        catch (BlobException e)
        {
            return new UnitOutcome.Failed(FailureKind.StorageUnavailable, e.Message, Seconds());
        }
        catch (DataException e)
        {
            return new UnitOutcome.Failed(FailureKind.Unfit, $"{settings.Name}: {e.Message}", Seconds());
        }
        catch (Exception e) when (e is TimeoutException or TrainerLostException or IOException)
        {
            return new UnitOutcome.Failed(FailureKind.ProcessLost, $"{settings.Name}: {e.Message}", Seconds());
        }
        catch (OperationCanceledException)
        {
            return new UnitOutcome.Failed(FailureKind.Cancelled, $"{settings.Name} is stopping", Seconds());
        }
        finally
        {
            busy.Release();
        }

        double Seconds() => Math.Round(System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds, 3);
    }

    private async Task<UnitOutcome> RunAsync(Open opened, WorkUnit unit, CancellationToken stop)
    {
        current = opened.Process; // Its silence counts while it runs, and only then.
        try
        {
            return await opened.Process.RunAsync(unit, stop);
        }
        finally
        {
            current = null;
        }
    }

    /// <summary>What a configuration runs on here, measured by starting a trainer process for it.</summary>
    public static async Task<ClusterProtocol.Described> DescribeAsync(NodeSettings settings, string configuration, CancellationToken stop)
    {
        try
        {
            SearchConfig config = SearchConfig.FromCanonicalText(configuration);
            Domain.Stages.DatasetSummary data = await Task.Run(
                () => Engines.Describe(config, remark => Console.Error.WriteLine($"note: {remark}")), stop);
            string aside = Path.Combine(settings.Folder.Root, "describe");
            await using TrainerProcess process = new(new TrainerOpening(config.Text, data, aside), config.Trainers, _ => { });
            await process.StartPatientlyAsync(stop);
            return new ClusterProtocol.Described(string.Empty, process.Profile, data, null);
        }
        catch (Exception e) when (e is DataException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new ClusterProtocol.Described(string.Empty, null, null, $"{settings.Name}: {e.Message}");
        }
    }

    /// <summary>
    /// Closes processes that nobody has used for a while. Waits for nothing: while a unit runs, there is nothing to close.
    /// </summary>
    public async Task CloseIdleAsync()
    {
        if (!await busy.WaitAsync(0))
            return;
        try
        {
            foreach (Open idle in open.Where(o => System.Diagnostics.Stopwatch.GetElapsedTime(o.Used) > Idle).ToList())
                await CloseAsync(idle);
        }
        finally
        {
            busy.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<UnitOutcome>? last;
        lock (gate)
            last = running?.Outcome;
        if (last is not null)
            await last; // It has been told to stop.
        foreach (Open each in open.ToList())
            await each.Process.DisposeAsync();
        busy.Dispose();
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "Disposed when the role ends.")]
    private async Task<Open> OpenAsync(DispatchProtocol.RunAttempt attempt, CancellationToken stop)
    {
        Open? known;
        lock (gate)
            known = open.Find(o => o.Search == attempt.Search);
        if (known is not null && known.Epoch == attempt.Epoch)
            return Use(known);
        ClusterProtocol.Opened answer = await questions.AskAsync<ClusterProtocol.Opened>(
            ask => new ClusterProtocol.OpenSearch(ask, attempt.Search), Patience, stop);
        if (answer.Configuration is null || answer.Data is null)
            throw new TimeoutException(answer.Failure ?? "the leader does not describe the search");
        if (known is not null && known.Configuration == answer.Configuration && known.Data.Equals(answer.Data))
        {
            known.Epoch = attempt.Epoch; // Another leader, the same search.
            return Use(known);
        }

        if (known is not null)
            await CloseAsync(known);
        if (answer.EngineVersion != SearchRunner.EngineVersion)
            throw new DataException($"the search uses {answer.EngineVersion}, but this node has {SearchRunner.EngineVersion}: their " +
                $"results may differ; install the same danas");
        SearchConfig config = SearchConfig.FromCanonicalText(answer.Configuration);
        string? device = settings.Devices.Count > 0 ? settings.Devices[number % settings.Devices.Count] : null;
        await AdmitAsync(config.Trainers, device, stop);
        string folder = settings.BlobFolderOf(attempt.Search) ?? throw new DataException($"'{attempt.Search}' is not the name of a search");
        TrainerProcess process = new(new TrainerOpening(answer.Configuration, answer.Data, folder), config.Trainers, chatter)
        {
            ExpectedProfile = answer.Profile,
            CannotStartIs = FailureKind.Unfit,
            Device = device,
        };
        Open opened = new(attempt.Search, answer.Configuration, answer.Data, process) { Epoch = attempt.Epoch };
        lock (gate)
            open.Add(opened);
        if (open.Count > MostOpen)
            await CloseAsync(open[0]);
        return opened;
    }

    /// <summary>What this trainer's processes for other searches hold is given back before a search is refused.</summary>
    private async Task AdmitAsync(TrainerOptions options, string? device, CancellationToken stop)
    {
        try
        {
            await DeviceMemory.AdmitAsync(options, device, stop);
        }
        catch (DataException) when (open.Count > 0)
        {
            foreach (Open other in open.ToList())
                await CloseAsync(other);
            await DeviceMemory.AdmitAsync(options, device, stop);
        }
    }

    private Open Use(Open opened)
    {
        lock (gate)
        {
            opened.Used = System.Diagnostics.Stopwatch.GetTimestamp();
            open.Remove(opened);
            open.Add(opened); // The one used longest ago is closed first.
        }

        return opened;
    }

    private async Task CloseAsync(Open closing)
    {
        lock (gate)
            open.Remove(closing);
        await closing.Process.DisposeAsync();
    }

    /// <summary>
    /// A result exists when a second store has it; while no leader answers, that is waited for. A leader that answers that it cannot is
    /// told to the dispatcher after a while, so that somebody hears of it.
    /// </summary>
    private async Task ReplicateAsync(string search, BlobRef blob, CancellationToken stop)
    {
        for (int refused = 0; ;)
        {
            if (!settings.Folder.OpenBlobs(search).Contains(blob))
                throw new BlobException(BlobFault.Lost, blob, $"blob {blob.Digest.Short} was discarded before the leader had a copy of it");
            try
            {
                ClusterProtocol.Answer answer = await questions.AskAsync<ClusterProtocol.Answer>(
                    ask => new ClusterProtocol.Replicate(ask, settings.Name, search, blob), Patience, stop);
                if (answer.Failure is null)
                    return;
                chatter($"the leader could not copy blob {blob.Digest.Short}: {answer.Failure}");
                if (++refused >= MostRefusals)
                    throw new BlobException(BlobFault.Unavailable, null, $"the leader cannot copy results from {settings.Url}: " +
                        $"{answer.Failure}; check that it can reach that address (--advertise) and has free space");
                await Task.Delay(TimeSpan.FromSeconds(1), stop);
            }
            catch (TimeoutException)
            {
                // Nobody leads yet.
            }
        }
    }

    private sealed class Open(string search, string configuration, Domain.Stages.DatasetSummary data, TrainerProcess process)
    {
        public string Search { get; } = search;

        public string Configuration { get; } = configuration;

        public Domain.Stages.DatasetSummary Data { get; } = data;

        public TrainerProcess Process { get; } = process;

        public long Epoch { get; set; }

        public long Used { get; set; } = System.Diagnostics.Stopwatch.GetTimestamp();
    }
}
