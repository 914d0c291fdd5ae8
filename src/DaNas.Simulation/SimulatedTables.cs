using DaNas.Actors.Journals;

namespace DaNas.Simulation;

/// <summary>The journal as one writer has it; <paramref name="blind"/> to others' epochs where that is the planted defect.</summary>
public sealed class SimulatedTables(string mine, long own, bool blind = false) : IFencedTables
{
    public string Kind => "simulated";

    public string ConnectionString => string.Empty;

    public Task FenceAsync() => Task.CompletedTask;

    public long EpochOf(string persistenceId) => persistenceId == mine ? own : 0;

    public bool IsOvertakenBy(string persistenceId, long epoch) => !blind && epoch > EpochOf(persistenceId);

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "It holds no files.")]
    public WritersJournal Journal() => new(this, NewLedger());

    public JournalLedger NewLedger() => new("simulated", null, true);

    public JournalException Translate(Exception failure) => failure as JournalException
        ?? new JournalException(JournalFault.Unavailable, failure.Message, failure);
}
