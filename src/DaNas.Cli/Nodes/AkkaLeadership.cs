using System.Diagnostics;
using DaNas.Actors;
using DaNas.Actors.Akka;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Actors.Logging;
using DaNas.Storage.Http;

namespace DaNas.Cli.Nodes;

/// <summary>The lease in PostgreSQL, as the singleton and the split-brain resolver of an Akka cluster use it. One term at most: then the process ends.</summary>
internal sealed class AkkaLeadership(NodeSettings settings, NodeServer server, IStateLog log, BlobClient transfer, PostgresLease lease) : ILeadership, IAsyncDisposable
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource<string> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private CancellationTokenSource? contending = new();
    private Task<PostgresTenure>? winning;
    private Task<PostgresTenure>? disposing;
    private Task beginning = Task.CompletedTask;
    private long failed;
    private PostgresJournal? journal;
    private ClientGateway? gateway;

    /// <summary>Set before the host joins.</summary>
    public AkkaHost Host { get; set; } = null!;

    /// <summary>Told when a term begins.</summary>
    public Action? Began { get; set; }

    /// <summary>Completes with the reason when this process must not go on.</summary>
    public Task<string> Lost => lost.Task;

    /// <summary>The leader's part of moving blobs; null while it does not lead.</summary>
    public LeaderTerm? Term { get; private set; }

    public bool IsWriter
    {
        get
        {
            lock (gate)
                return winning is { IsCompletedSuccessfully: true } && !lost.Task.IsCompleted;
        }
    }

    public long ConfirmedAt
    {
        get
        {
            lock (gate)
                return winning is { IsCompletedSuccessfully: true } ? winning.Result.RenewedAt : 0;
        }
    }

    public void Contend() => _ = Winning();

    public async Task<long> WinAsync() => (await Winning()).Epoch;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "It takes the place of the one that is cancelled.")]
    public void Withdraw()
    {
        CancellationTokenSource? cancelled;
        lock (gate)
        {
            if (winning is not { IsCompleted: false } || contending is null)
                return;
            (cancelled, contending, winning) = (contending, new CancellationTokenSource(), null);
        }

        _ = Task.Run(cancelled.Cancel); // Ending a wait in the data base may take a moment.
    }

    public Task BeginAsync() => beginning = GoAsync();

    private async Task GoAsync()
    {
        PostgresTenure tenure = await Winning();
        journal = PostgresJournal.Over(settings.Journal!, tenure, TimeProvider.System, settings.Folder.HeadOf);
        await journal.FenceAsync();
        if (lost.Task.IsCompleted)
            throw new OperationCanceledException(await lost.Task);
        Host.OpenJournal(journal);
        LeaderTerm term = new(settings, server, transfer, Host, journal);
        Term = term;
        term.Begin();
        gateway = new ClientGateway(Host, log);
        server.Lead(gateway.Hub, Host.Name);
        Began?.Invoke();
        log.Write(new ActorAddress("/coordinator"), DateTimeOffset.UtcNow, new StateChange(LogEvent.ClusterLeading, "StandingBy", "Leading") { Cause = Verbs.Output.Text($"term {tenure.Epoch}, on Akka.NET"), IsWarning = true });
    }

    public async Task EndAsync()
    {
        try
        {
            await beginning;
        }
#pragma warning disable CA1031 // Whatever kept the term from beginning, it ends now.
        catch (Exception)
#pragma warning restore CA1031
        {
            // It had not begun.
        }

        server.StepDown();
        gateway?.Hub.EndAll();
        if (Term is not null)
        {
            Term = null;
            await Host.StopAsync(Host.AddressOf(Roles.Cluster), StopPatience);
            await Host.StopAsync(Host.AddressOf(Roles.Dispatcher), StopPatience);
        }

        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Task<PostgresTenure>? held;
        CancellationTokenSource? cancelled;
        lock (gate)
        {
            (held, disposing, winning) = (winning, winning, null);
            (cancelled, contending) = (contending, null);
        }

        lost.TrySetResult("it makes room for another coordinator");
        if (cancelled is null)
            return;
        await cancelled.CancelAsync();
        cancelled.Dispose();
        journal?.Dispose();
        journal = null;
        try
        {
            if (held is not null)
                await (await held).DisposeAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or Actors.Journals.JournalException)
        {
            // Nothing was won.
        }
    }

    private Task<PostgresTenure> Winning()
    {
        lock (gate)
        {
            if (contending is null)
                return Task.FromCanceled<PostgresTenure>(new CancellationToken(true));
            if (winning is null || winning.IsCanceled || (winning.IsFaulted && Stopwatch.GetElapsedTime(failed) > AfterFailure))
            {
                winning = lease.WinAsync(contending.Token);
                _ = winning.ContinueWith(Ended, TaskScheduler.Default);
            }

            return winning;
        }
    }

    /// <summary>What was won after this process had given up is given back; what failed is tried again by whoever asks.</summary>
    private void Ended(Task<PostgresTenure> tenure)
    {
        if (!tenure.IsCompletedSuccessfully)
        {
            if (tenure.Exception?.GetBaseException() is { } why)
            {
                failed = Stopwatch.GetTimestamp();
                log.Write(new ActorAddress("/coordinator"), DateTimeOffset.UtcNow, new StateChange(LogEvent.ClusterStoreLost, "StandingBy", "Waiting") { Cause = why.Message, IsWarning = true });
            }

            return;
        }

        bool wanted;
        lock (gate)
            wanted = ReferenceEquals(winning, tenure) || ReferenceEquals(disposing, tenure); // Whoever disposes of this waits for it.
        if (!wanted)
            _ = tenure.Result.DisposeAsync().AsTask();
        else
            tenure.Result.Lost.ContinueWith(why => lost.TrySetResult(why.Result), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }
}
