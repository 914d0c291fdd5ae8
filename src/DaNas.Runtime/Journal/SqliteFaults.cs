using DaNas.Actors.Journals;
using Microsoft.Data.Sqlite;

namespace DaNas.Runtime.Journal;

/// <summary>SQLite's error codes in an operator's words.</summary>
internal static class SqliteFaults
{
    private const int SqliteFull = 13;
    private const int SqliteError = 1;

    /// <summary>Of another library's failure, whatever it wrapped around SQLite's.</summary>
    public static JournalException Of(string path, Exception failure)
    {
        Exception[] all = [.. Causes.Within(failure)];
        if (all.OfType<JournalException>().FirstOrDefault() is { } known)
            return known;
        SqliteException[] sqlite = [.. all.OfType<SqliteException>()];
        if (sqlite.FirstOrDefault(s => s.Message.Contains(SqliteSchema.FenceMark, StringComparison.Ordinal)) is { } fenced)
            return new(JournalFault.Fenced, $"{path}: another process took the search over; this process stops", fenced);

        // A transaction that SQLite has rolled back itself cannot be rolled back again: what that says hides the cause beside it.
        return (sqlite.FirstOrDefault(s => s.SqliteErrorCode != SqliteError) ?? sqlite.FirstOrDefault()) is { } cause
            ? Of(path, cause)
            : new(JournalFault.Unavailable, $"{path}: {failure.Message}", failure);
    }

    public static JournalException Of(string path, SqliteException e) => e.SqliteErrorCode switch
    {
        26 => new(JournalFault.Foreign, $"{path} is not a SQLite file and therefore not a journal of this product; specify " +
            $"another folder with --out", e),
        SqliteError when e.Message.Contains("no transaction is active", StringComparison.Ordinal) => new(JournalFault.Unavailable,
            $"{path}: SQLite rolled back a transaction, most likely because the disk is full; free some space, and the " +
                $"search will continue", e),
        // The statements never change.
        SqliteError => new(JournalFault.Damaged, $"{path}: its tables are no longer those of a journal ({e.Message}); restore the file " +
            $"(with its -wal file) from a backup", e),
        11 => new(JournalFault.Damaged, $"{path} is damaged ({e.Message}); restore the file from a backup", e),
        SqliteFull => new(JournalFault.Unavailable, $"{path}: the disk is full; free some space, and the search will continue", e),
        14 or 8 => new(JournalFault.Unavailable, $"{path} cannot be opened for writing ({e.Message}); check the " +
            $"permissions of the folder", e),
        _ => new(JournalFault.Unavailable, Invariant($"{path}: {e.Message}"), e),
    };
}
