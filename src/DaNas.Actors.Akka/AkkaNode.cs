namespace DaNas.Actors.Akka;

/// <summary>One node of a cluster: where others reach it, what it does, and how it reaches them.</summary>
/// <param name="Host">Name or address, as the others know it.</param>
/// <param name="Port">The node's one port.</param>
/// <param name="Roles">Roles in the cluster: <see cref="Coordinator"/> and others.</param>
/// <param name="Connect">A connection to another node that knows the secret; throws <see cref="IOException"/> or <see cref="InvalidDataException"/>.</param>
public sealed record AkkaNode(string Host, int Port, IReadOnlyList<string> Roles, Func<string, int, CancellationToken, Task<INodeConnection>> Connect)
{
    public const string Coordinator = "coordinator";
    public const string Trainer = "trainer";

    /// <summary>Where Akka.Persistence.Sql finds the journal; null where nothing is stored.</summary>
    public string? JournalConnection { get; init; }

    /// <summary>On coordinators.</summary>
    public ILeadership? Leadership { get; init; }
}

/// <summary>The store's word on who writes. Nobody leads without it, and who has it decides who is cut off.</summary>
public interface ILeadership
{
    /// <summary>Whether this process may write now.</summary>
    bool IsWriter { get; }

    /// <summary>When the store last said so (<see cref="System.Diagnostics.Stopwatch"/>): who is cut off from everything does not know yet that it may not write any more.</summary>
    long ConfirmedAt { get; }

    /// <summary>Begins to contend for the store's word, unless this process does already.</summary>
    void Contend();

    /// <summary>Contends until this process has it; its epoch. More calls wait for the same.</summary>
    Task<long> WinAsync();

    /// <summary>Ends contending, if nothing is won yet.</summary>
    void Withdraw();

    /// <summary>The singleton of the cluster lives here now, and the word is won: begins the term.</summary>
    Task BeginAsync();

    /// <summary>The singleton leaves: ends the term's actors and gives the word back.</summary>
    Task EndAsync();
}
