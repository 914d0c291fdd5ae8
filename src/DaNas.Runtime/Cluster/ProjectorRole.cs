using DaNas.Actors.Cluster;
using DaNas.Actors.Logging;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Journal.Postgres;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Runtime.Cluster;

/// <summary>Keeps the read model of the cluster's data base up to date. It decides nothing; as many as wanted may run, or none.</summary>
internal sealed class ProjectorRole(NodeSettings settings, IStateLog log)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);

    private long lastStep;

    /// <summary>Whether the data base answered lately.</summary>
    public bool IsFollowing => lastStep != 0 && System.Diagnostics.Stopwatch.GetElapsedTime(lastStep) < Fresh;

    public async Task<int> RunAsync(CancellationToken stop)
    {
        PostgresProjection projection = new(settings.Journal!, SearchRecord.PersistenceId(string.Empty));
        bool prepared = false;
        await using AkkaHost host = await LocalActors.OpenAsync(null, log);
        host.Spawn(ProjectionActor.Name, ProjectionActor.PropsOf(_ => Task.Run<object?>(async () =>
        {
            if (!prepared)
                await settings.Journal!.PrepareAsync(); // May be the first process that the data base sees.
            prepared = true;
            ProjectionActor.Stepped done = await projection.StepAsync(host.Stopping);
            lastStep = System.Diagnostics.Stopwatch.GetTimestamp();
            return done;
        })));
        Task over = await Task.WhenAny(host.Fatal, Task.Delay(Timeout.Infinite, stop));
        return over == host.Fatal ? throw new InvalidOperationException(await host.Fatal) : ExitCode.Done;
    }
}
