using System.Diagnostics;
using System.Globalization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Work;
using DaNas.Runtime.Processes;

namespace DaNas.Runtime.Trainers;

/// <summary>
/// A trainer in a process of its own, spoken to over its pipes. It is started when needed, started again with back-off when it dies, and
/// killed when a unit outlives its deadline.
/// </summary>
internal sealed class TrainerProcess(TrainerOpening opening, TrainerOptions options,
    Action<string> chatter) : ITrainingEngine, IAsyncDisposable
{
    private const int MostStarts = 10;

    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(5);

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2213", Justification = "StopAsync takes it out and disposes it.")]
    private Process? process;
    private int failedStarts;
    private long lastSign;

    /// <summary>The profile that the running process reported; null before the first start.</summary>
    public string? Profile { get; private set; }

    /// <summary>Once set, a process that reports another profile is refused: its results would not be bit-identical.</summary>
    public string? ExpectedProfile { get; set; }

    /// <summary>
    /// What it means for a unit that the process cannot start at all: among many trainers, that another one should run it.
    /// </summary>
    public FailureKind CannotStartIs { get; init; } = FailureKind.ProcessLost;

    /// <summary>The CUDA device that the process sees; null: all.</summary>
    public string? Device { get; init; }

    /// <summary>Native tensors alive at the last sign of life.</summary>
    public long LiveTensors { get; private set; }

    public int? ProcessId => process is { HasExited: false } running ? running.Id : null;

    /// <summary>Seconds since the process gave its last sign of life.</summary>
    public double SilentSeconds => process is null ? 0 : Stopwatch.GetElapsedTime(Interlocked.Read(ref lastSign)).TotalSeconds;

    /// <summary>
    /// Starts the process and waits until it is ready. Throws <see cref="DataException"/> with its reason where it cannot.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        Process launched = Launch();
        process = launched;
        launched.ErrorDataReceived += (_, e) =>
        {
            if (!string.IsNullOrWhiteSpace(e.Data))
                chatter(e.Data);
        };
        launched.BeginErrorReadLine();
        await SendAsync(launched, opening);
        if (await ReadAsync(launched, cancellation) is not TrainerGreeting greeting)
        {
            int code = await TrainerExit.CodeAsync(launched);
            throw new TrainerLostException(TrainerExit.KindOf(code),
                $"the trainer process ended before it was ready ({TrainerExit.Describe(code)}); 'danas doctor' checks libtorch");
        }

        if (!greeting.Ready)
        {
            await StopAsync();
            throw new DataException(greeting.Text);
        }

        if (ExpectedProfile is { } expected && expected != greeting.Text)
        {
            await StopAsync();
            throw new DataException($"the trainer has numerics profile '{greeting.Text}', but the search has '{expected}': restore the " +
                $"original libtorch, or start a new search");
        }

        Profile = greeting.Text;
        failedStarts = 0;
    }

    // However short a unit may be, libtorch is read from the disk.
    private double StartSeconds => Math.Max(options.UnitDeadlineSeconds, 60);

    /// <summary>The same, again where the process was killed meanwhile: that says nothing about whether it can start.</summary>
    public async Task StartPatientlyAsync(CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(TimeSpan.FromSeconds(StartSeconds));
            try
            {
                await StartAsync(deadline.Token);
                return;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                await StopAsync();
                throw new DataException(
                    Invariant($"the trainer process was not ready within {StartSeconds} s; 'danas doctor' checks libtorch"));
            }
            catch (Exception e) when (attempt < MostStarts && e is (IOException or TrainerLostException { Kind: FailureKind.ProcessLost }))
            {
                chatter(e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(100 * attempt), cancellation);
            }
            catch (TrainerLostException e)
            {
                throw new DataException(e.Message, e);
            }
        }
    }

    public async Task<UnitOutcome> RunAsync(WorkUnit unit, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(options.UnitDeadlineSeconds));
        if (process is not { HasExited: false } && await RestartAsync(deadline, cancellation) is { } failure)
            return failure with { LostSeconds = Elapsed() };
        if (process is not { } current)
            return new UnitOutcome.Failed(FailureKind.Cancelled, "the search is stopping", 0);
        try
        {
            await SendAsync(current, unit);
            return await ReadAsync(current, deadline.Token) switch
            {
                UnitResult result when result.Unit == unit.Id => new UnitOutcome.Completed(result),
                UnitOutcome.Failed failed => failed,
                null => await LostAsync(current, Elapsed()),
                { } other => new UnitOutcome.Failed(FailureKind.EngineError,
                    $"the trainer responded with {other.GetType().Name}", Elapsed()),
            };
        }
        catch (OperationCanceledException)
        {
            await StopAsync();
            return cancellation.IsCancellationRequested
                ? new UnitOutcome.Failed(FailureKind.Cancelled, "the search is stopping", Elapsed())
                : new UnitOutcome.Failed(FailureKind.Deadline, Invariant($"no result within {options.UnitDeadlineSeconds} s"), Elapsed());
        }
        catch (IOException)
        {
            return await LostAsync(current, Elapsed());
        }
        catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException)
        {
            return new UnitOutcome.Failed(FailureKind.Cancelled, "the trainer is being stopped", Elapsed());
        }

        double Elapsed() => Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 3);
    }

    /// <summary>Starts the process again, with back-off; null when it is ready.</summary>
    private async Task<UnitOutcome.Failed?> RestartAsync(CancellationTokenSource deadline, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(LongestBackoff.TotalMilliseconds, failedStarts == 0
                ? 0 : 200 * Math.Pow(2, failedStarts))), cancellation);
            failedStarts++;
            deadline.CancelAfter(TimeSpan.FromSeconds(StartSeconds));
            await StartAsync(deadline.Token);
            deadline.CancelAfter(TimeSpan.FromSeconds(options.UnitDeadlineSeconds));
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            await StopAsync();
            return new UnitOutcome.Failed(FailureKind.ProcessLost,
                Invariant($"the trainer process was not ready within {StartSeconds} s"), 0);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            return new UnitOutcome.Failed(FailureKind.Cancelled, "the search is stopping", 0);
        }
        catch (TrainerLostException e)
        {
            return new UnitOutcome.Failed(e.Kind, e.Message, 0);
        }
        catch (DataException e)
        {
            return new UnitOutcome.Failed(CannotStartIs, e.Message, 0);
        }
        catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception)
        {
            // A trainer that cannot start says nothing about the unit.
            return new UnitOutcome.Failed(FailureKind.ProcessLost, e.Message, 0);
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private static async Task<UnitOutcome> LostAsync(Process ended, double seconds)
    {
        int code;
        try
        {
            code = await TrainerExit.CodeAsync(ended);
        }
        catch (InvalidOperationException)
        {
            return new UnitOutcome.Failed(FailureKind.Cancelled, "the trainer is being stopped", seconds);
        }

        return new UnitOutcome.Failed(TrainerExit.KindOf(code), $"the trainer process ended ({TrainerExit.Describe(code)})", seconds);
    }

    private Process Launch()
    {
        ProcessStartInfo start = ThisProgram.Start(["trainer"]);
        start.RedirectStandardInput = true;
        start.Environment["OMP_NUM_THREADS"] = options.Threads.ToString(CultureInfo.InvariantCulture);
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        start.Environment["GOMP_SPINCOUNT"] = "0";
        start.Environment["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8";
        if (Device is not null)
            start.Environment["CUDA_VISIBLE_DEVICES"] = Device;
        Process launched = Process.Start(start) ?? throw new DataException($"{start.FileName} cannot be started");
        StepBack(launched);
        return launched;
    }

    /// <summary>
    /// Where cores are short, heartbeats and the journal come before training: a late heartbeat costs a change of the leader.
    /// </summary>
    private static void StepBack(Process trainer)
    {
        try
        {
            trainer.PriorityClass = ProcessPriorityClass.BelowNormal;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            // It has ended already, or may not be changed here: then it trains at the priority that it has.
        }
    }

    private async Task<object?> ReadAsync(Process from, CancellationToken cancellation)
    {
        Interlocked.Exchange(ref lastSign, Stopwatch.GetTimestamp());
        while (await from.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            Interlocked.Exchange(ref lastSign, Stopwatch.GetTimestamp());
            object? message = TrainerLine.Read(line);
            if (message is TrainerPulse pulse)
                LiveTensors = pulse.Tensors;
            else if (message is not null)
                return message;
        }

        return null;
    }

    private static async Task SendAsync(Process to, object message)
    {
        await to.StandardInput.WriteLineAsync(TrainerLine.Write(message));
        await to.StandardInput.FlushAsync();
    }

    /// <summary>Ends the process, whoever asks first; a second asker finds nothing to do.</summary>
    private async Task StopAsync()
    {
        if (Interlocked.Exchange(ref process, null) is not { } ending)
            return;
        try
        {
            if (!ending.HasExited)
                ending.Kill(true);
            await ending.WaitForExitAsync();
        }
        catch (InvalidOperationException)
        {
            // It had ended by itself.
        }

        ending.Dispose();
    }
}
