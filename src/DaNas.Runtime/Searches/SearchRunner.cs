using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Actors.Trainers;
using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Trainers;

namespace DaNas.Runtime.Searches;

/// <summary>
/// What a run goes on with: the configuration and data in force, where the search stands, what a fault cost, what the user accepted.
/// </summary>
internal sealed record Launch(SearchConfig Config, DatasetSummary Data, string Id, SearchState State)
{
    public double LostSeconds { get; init; }

    /// <summary>What of the data set is not read.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    public Drift? Accepted { get; init; }
}

/// <summary>Composition root of a search on one machine: journal, blobs, host, actors, trainer processes.</summary>
internal sealed class SearchRunner(OutputFolder folder, ISearchScreen screen)
{
    public const string EngineVersion = "danas-engine/1";

    /// <summary>Whether the journal has events of the search: there is something to resume.</summary>
    private volatile bool begun;
    private long started;

    private readonly TaskCompletionSource<int> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A new id: the search's name, the time, and four digits.</summary>
    public static string NewId(string name) => string.Create(
        CultureInfo.InvariantCulture,
            $"{name}-{DateTimeOffset.UtcNow:yyyyMMdd-HHmmss}-{System.Security.Cryptography.RandomNumberGenerator.GetHexString(4, true)}");

    public async Task<int> StartAsync(Launch launch, CancellationToken interrupt)
    {
        using OwnerLock owner = OwnerLock.Take(folder, launch.Id, false);
        return await RunAsync(launch, interrupt);
    }

    /// <summary>Goes on with a search, under what <see cref="ResumeCheck"/> found acceptable.</summary>
    public async Task<int> ResumeAsync(SearchRecord record, Launch launch, bool takeover, CancellationToken interrupt)
    {
        started = Stopwatch.GetTimestamp();
        using OwnerLock owner = OwnerLock.Take(folder, record.Id, takeover);
        double lost = owner.PreviousBeat is { } beat ? Math.Clamp((beat - record.Events[^1].Created).TotalSeconds, 0, 3600) : 0;
        folder.OpenBlobs(record.Id).RemoveUnfinished();
        return await RunAsync(launch with { LostSeconds = lost }, interrupt);
    }

    private async Task<int> RunAsync(Launch launch, CancellationToken interrupt)
    {
        (SearchConfig config, DatasetSummary data, string id, SearchState state) = launch;
        begun = state != SearchState.Initial;
        using StateLog log = new(Path.Combine(folder.SearchFolder(id), "log.jsonl"), Show);
        foreach (string remark in launch.Remarks)
        {
            screen.Warn($"note: {data.Name}: {remark}");
            log.Write("/data", DateTimeOffset.UtcNow, new StateChange(
                LogEvent.DatasetPartlyRead, "Listed", "Listed")
            { Search = id, Cause = remark });
        }

        FileBlobStore blobs = folder.OpenBlobs(id);
        using IEventJournal journal = await folder.OpenJournalAsync();
        if (launch.Accepted?.History is not null)
            journal.AcceptCut(SearchRecord.PersistenceId(id));
        TrainerOpening opening = new(config.Text, data, folder.BlobFolder(id));
        TrainerProcess[] trainers = [.. Enumerable.Range(0, config.Trainers.Count)
            .Select(i => new TrainerProcess(opening, config.Trainers, text => Chatter(id, i, text)))];
        using HealthLog health = new(folder, id, trainers);
        try
        {
            await trainers[0].StartPatientlyAsync(interrupt);
            screen.Begin(config, data, state);
            if (config.Trainers.Device == "cpu" && Torch.TorchBinding.UnusedGpu is { } unused)
                screen.Say(unused);
            string profile = trainers[0].Profile!;
            foreach (TrainerProcess trainer in trainers)
                trainer.ExpectedProfile = profile;
            long epoch = await journal.AcquireAsync($"search-{id}");
            SearchEvent.SearchStarted first = new(new SearchId(id), config.Text, config.Hash, data, profile, EngineVersion);
            // What was in flight, and the start up to here.
            double lost = launch.LostSeconds + (begun ? Stopwatch.GetElapsedTime(started).TotalSeconds : 0);
            SearchProtocol.Beginning beginning = new(new SearchCommand.Start(first),
                new SearchCommand.Resume(epoch, profile, Math.Round(lost, 3)) { Accepted = launch.Accepted });
            await using AkkaHost host = await LocalActors.OpenAsync(journal, log);
            SearchPorts ports = Populate(host, config, trainers, blobs);
            host.Spawn($"search-{id}", SearchActor.PropsOf(new SearchId(id), beginning, ports, host.Journal));
            Task<int> end = ended.Task;
            Task ending = await Task.WhenAny(end, host.Fatal, Task.Delay(Timeout.Infinite, interrupt));
            return ending == end ? await end : ending == host.Fatal ? Fatal(await host.Fatal) : Interrupted(id);
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return Interrupted(id);
        }
        finally
        {
            screen.EndProgress();
            foreach (TrainerProcess trainer in trainers)
                await trainer.DisposeAsync();
        }
    }

    private SearchPorts Populate(AkkaHost host, SearchConfig config, TrainerProcess[] trainers, FileBlobStore blobs)
    {
        IActorRef dispatcher = host.Spawn(DispatcherActor.Name,
            DispatcherActor.PropsOf(new DispatcherSettings(config.Trainers.Attempts, config.Trainers.SilenceSeconds)));
        for (int i = 0; i < trainers.Length; i++)
            host.Spawn(TrainerActor.NameOf(i), TrainerActor.PropsOf(
                i, new ProcessRunner(trainers[i], host.Stopping), () => dispatcher, new TrainerMemory()));
        return new SearchPorts(host.Listen("listener", Heard), dispatcher, discarded =>
        {
            foreach (BlobRef blob in discarded.Blobs)
                Discard(blobs, blob);
        });
    }

    /// <summary>What stays behind for a fault of the disk goes with 'danas blobs prune'.</summary>
    private static void Discard(FileBlobStore blobs, BlobRef blob)
    {
        try
        {
            blobs.Delete(blob);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private void Heard(object message)
    {
        switch (message)
        {
            case SearchProtocol.Stored m:
                screen.Stored(m.Event, m.State);
                begun = true;
                if (m.Event is SearchEvent.SearchStarted started)
                    screen.Say($"progress is stored from now on; after Ctrl-C or a crash, resume with '{ThisProgram.Name} resume " +
                        $"{started.Id}{folder.Option}'");
                if (m.State.IsOver)
                    ended.TrySetResult(m.State.Phase is SearchPhase.Completed ? ExitCode.Done : ExitCode.Failed);
                break;
            case SearchProtocol.Found:
                begun = true;
                break;
            case SearchProtocol.Ended m:
                ended.TrySetResult(m.State.Phase is SearchPhase.Completed ? ExitCode.Done : ExitCode.Failed);
                break;
            case SearchProtocol.Refused m:
                screen.Warn(m.Reason);
                ended.TrySetResult(ExitCode.Usage);
                break;
        }
    }

    /// <summary>A trainer's own words, to its file; a full disk must not take the search down.</summary>
    private void Chatter(string id, int trainer, string text)
    {
        try
        {
            File.AppendAllText(Path.Combine(folder.SearchFolder(id), $"trainer-{trainer}.log"), text + "\n");
        }
        catch (IOException)
        {
            // The journal says that the disk is full.
        }
    }

    private int Fatal(string reason)
    {
        screen.Warn(reason);
        return ExitCode.Failed;
    }

    private int Interrupted(string id)
    {
        screen.EndProgress();
        screen.Say(begun
            ? $"interrupted; no acknowledged work is lost. To resume, run: {ThisProgram.Name} resume {id}{folder.Option}"
            : "interrupted before the search started; run the same command to start it");
        return ExitCode.Interrupted;
    }

    private void Show(LogLine line)
    {
        if (line.Warning && line.Id != (int)LogEvent.DispatcherUnitFailed)
            screen.Warn(line.ToText());
    }

    /// <summary>A trainer's process; an actor that was restarted and asks for the same unit again gets what runs already.</summary>
    private sealed class ProcessRunner(TrainerProcess trainer, CancellationToken stop) : IAttemptRunner
    {
        private (string Unit, Task<UnitOutcome> Work) last =
            (string.Empty, Task.FromResult<UnitOutcome>(new UnitOutcome.Failed(FailureKind.Cancelled, "nothing ran", 0)));

        public double SilentSeconds => trainer.SilentSeconds;

        public Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt)
        {
            if (last.Work.IsCompleted || last.Unit != attempt.Unit.Id)
                last = (attempt.Unit.Id, Task.Run(() => trainer.RunAsync(attempt.Unit, stop)));
            return last.Work;
        }
    }
}
