using System.Runtime.InteropServices;

namespace DaNas.Cli.Presentation;

/// <summary>Ctrl-C, SIGTERM and SIGHUP as one token; a second Ctrl-C or SIGTERM ends at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration[] registrations;

    public Interruption() =>
        registrations = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            .Select(s => PosixSignalRegistration.Create(s, Handle))];

    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations)
            registration.Dispose();
        source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (source.IsCancellationRequested && context.Signal != PosixSignal.SIGHUP) // A terminal that closes sends it twice.
            return;
        context.Cancel = true;
        source.Cancel();
    }
}
