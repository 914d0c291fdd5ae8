using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Work;
using DaNas.Torch;

namespace DaNas.Runtime.Trainers;

/// <summary>
/// The trainer's side: reads units from standard input, writes results to standard output, ends at once when its parent does.
/// </summary>
internal static class TrainerVerb
{
    private static int beating;

    public static int Run()
    {
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => c.Cancel = true);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, c => c.Cancel = true);
        using Stream output = Console.OpenStandardOutput();
        using StreamWriter plain = new(output) { AutoFlush = true };
        using TextWriter writer = TextWriter.Synchronized(plain);
        FaultInjection.Install(true);
        Channel<string> lines = Channel.CreateUnbounded<string>();
        StartReader(lines.Writer);
        using Timer pulse = new(_ => Beat(writer), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        try
        {
            TrainerOpening opening = (TrainerOpening)TrainerLine.Read(Next(lines))!;
            SearchConfig config = SearchConfig.FromCanonicalText(opening.Configuration);
            (ITrainingEngine engine, string profile) = Engines.Open(config, opening.Data, opening.BlobFolder);
            writer.WriteLine(TrainerLine.Write(new TrainerGreeting(true, profile)));
            while (true)
            {
                WorkUnit unit = (WorkUnit)TrainerLine.Read(Next(lines))!;
                UnitOutcome outcome = engine.RunAsync(unit, CancellationToken.None).GetAwaiter().GetResult();
                writer.WriteLine(TrainerLine.Write(outcome is UnitOutcome.Completed done ? done.Result : outcome));
            }
        }
        catch (Exception e) when (e is DataException or DllNotFoundException or TypeInitializationException or ExternalException)
        {
            Exception cause = e is TypeInitializationException { InnerException: { } inner } ? inner : e;
            writer.WriteLine(TrainerLine.Write(new TrainerGreeting(false, cause.Message)));
            return 1;
        }
    }

    /// <summary>One at a time: while nobody reads the pipe, beats must not pile up behind each other.</summary>
    private static void Beat(TextWriter writer)
    {
        if (Interlocked.Exchange(ref beating, 1) == 1)
            return;
        try
        {
            writer.WriteLine(TrainerLine.Write(new TrainerPulse(TorchBinding.LiveTensors)));
        }
        catch (IOException)
        {
            // The parent is gone; the end of input ends this process.
        }
        finally
        {
            Volatile.Write(ref beating, 0);
        }
    }

    private static string Next(Channel<string> lines) => lines.Reader.ReadAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>End of input means that the parent is gone; whatever runs is abandoned, since somebody will run it again.</summary>
    private static void StartReader(ChannelWriter<string> lines)
    {
        Thread thread = new(() =>
        {
            using StreamReader reader = new(Console.OpenStandardInput());
            while (reader.ReadLine() is { } line)
                lines.TryWrite(line);
            Process.GetCurrentProcess().Kill();
        })
        { IsBackground = true, Name = "danas-parent" };
        thread.Start();
    }
}
