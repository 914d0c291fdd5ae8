using System.Net.Sockets;
using DaNas.Actors.Journals;
using Npgsql;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>PostgreSQL's errors in an operator's words: what waiting heals, and what it does not.</summary>
public static class PostgresFaults
{
    public static bool IsFault(Exception e) => e is NpgsqlException or SocketException or TimeoutException or IOException
        or ObjectDisposedException or InvalidOperationException;

    /// <summary>Whether waiting helps.</summary>
    public static bool Heals(Exception e) => (IsFault(e) && Permanent(e) is null)
        || e is JournalException { Fault: JournalFault.Unavailable };

    /// <summary>
    /// What no waiting heals, in one line; null: it may pass. A server that does not answer, a name that is not known just now, a
    /// connection that broke: these may.
    /// </summary>
    private static string? Permanent(Exception e)
    {
        for (Exception? x = e; x is not null; x = x.InnerException)
        {
            switch (x)
            {
                case SocketException
                {
                    SocketErrorCode: SocketError.OperationNotSupported or SocketError.AddressFamilyNotSupported
                    or SocketError.ProtocolNotSupported or SocketError.AccessDenied
                }:
                    return $"{x.Message}; check the host and the permissions of its socket";
                case NpgsqlException when x.Message.Contains("No SSL enabled connection", StringComparison.Ordinal):
                    return $"{x.Message}; set sslmode=prefer, or enable TLS on the server";
                case NpgsqlException when x.Message.Contains("No password has been provided", StringComparison.Ordinal):
                    return $"{x.Message}; put it into PGPASSWORD or a file named by PGPASSFILE";
            }
        }

        return null;
    }

    public static JournalException Of(string where, Exception e) => e switch
    {
        PostgresException { SqlState: PostgresJournal.Refused } x =>
            new(JournalFault.Fenced, $"{where}: {x.MessageText}; this process stops", e),
        // Another writer's would have been refused by the fence.
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } => new(JournalFault.Unavailable,
            $"{where}: the event is already stored, by an append whose outcome was unknown; the journal is read again first", e),
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } x =>
            new(JournalFault.Foreign, $"{where} rejected the login ({x.MessageText}); check the user and PGPASSWORD or PGPASSFILE", e),
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } x =>
            new(JournalFault.Foreign, $"{where}: {x.MessageText}; create the database, or specify another one", e),
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } x =>
            new(JournalFault.Foreign, $"{where}: {x.MessageText}; grant the user privileges on the tables and CREATE", e),
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn } x =>
            new(JournalFault.Damaged, $"{where}: {x.MessageText}; restore the database from a backup", e),
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } x =>
            new(JournalFault.Unavailable, $"{where}: {x.MessageText}; free some space on the server, and the search will continue", e),
        PostgresException x => new(JournalFault.Unavailable,
            $"{where}: {x.MessageText} ({x.SqlState}); the search continues when the database responds", e),
        NpgsqlException or SocketException or IOException or InvalidOperationException when Permanent(e) is { } why =>
            new(JournalFault.Foreign, $"{where} cannot be reached ({why})", e),
        _ => new(JournalFault.Unavailable, $"{where} does not respond ({(e.InnerException ?? e).Message}); the search " +
            $"continues when it does", e),
    };
}
