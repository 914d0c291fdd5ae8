using Akka.Actor;
using Akka.Pattern;
using Akka.Persistence;
using SerializationException = System.Runtime.Serialization.SerializationException;

namespace DaNas.Actors.Journals;

/// <summary>The journal under which a writer writes, and what it keeps beside it.</summary>
public sealed record WritersJournal(IFencedTables Tables, JournalLedger Ledger);
