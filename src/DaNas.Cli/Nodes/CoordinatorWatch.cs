using System.Diagnostics;
using DaNas.Actors.Embedded.Postgres;

namespace DaNas.Cli.Nodes;

/// <summary>
/// Keeps a coordinator in the list that the others see, and what it tells of the leader up to date; a leader that more nodes cannot reach than can makes
/// room for another coordinator.
/// </summary>
internal sealed class CoordinatorWatch(NodeSettings settings, NodeServer server, Candidate candidate)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Longer than what a change of the leader takes by itself.</summary>
    private static readonly TimeSpan YieldAfter = TimeSpan.FromSeconds(8);

    private TaskCompletionSource<string> yielding = new();
    private long? badSince;

    /// <summary>Nodes that reach this coordinator, and not the leader.</summary>
    public required Func<int> WaitingHere { get; init; }

    /// <summary>Nodes that reach this one as the leader; null while it does not lead.</summary>
    public required Func<int?> Linked { get; init; }

    /// <summary>Told when the data base does not answer, and (null) when it does again.</summary>
    public required Action<string?> Outage { get; init; }

    /// <summary>Completes with the reason when this leader should make room.</summary>
    public Task<string> Yielding => yielding.Task;

    /// <summary>A term of leadership begins.</summary>
    public void Begin()
    {
        badSince = null;
        if (yielding.Task.IsCompleted)
            yielding = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await using PostgresDirectory directory = new(settings.Journal!, candidate);
        bool known = false;
        server.Ready = () => known;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                LeaderView? view = await directory.RefreshAsync(WaitingHere(), stop);
                known = view is not null;
                server.View = view ?? server.View;
                Judge(directory.WaitingElsewhere);
                await Task.Delay(Look, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // What the data base says now, it may not say in a while: this loop must outlive it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (known)
                    Outage(e.Message);
                known = false;
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
            }
        }
    }

    /// <summary>A leader that more nodes cannot reach than can, while they reach another coordinator, makes room for that one.</summary>
    private void Judge(int waitingElsewhere)
    {
        int linked = Linked() ?? int.MaxValue;
        if (waitingElsewhere <= linked)
            badSince = null;
        else if ((badSince ??= Stopwatch.GetTimestamp()) is var since && Stopwatch.GetElapsedTime(since) > YieldAfter)
            yielding.TrySetResult(Verbs.Output.Text($"{waitingElsewhere} nodes wait at another coordinator since they do not reach this one, {linked} are linked here"));
    }
}
