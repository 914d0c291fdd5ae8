using System.Globalization;
using DaNas.Actors.Journals;
using Microsoft.Data.Sqlite;

namespace DaNas.Actors.Embedded;

/// <summary>SQLite's error codes in an operator's words.</summary>
internal static class SqliteFaults
{
    private const int SqliteFull = 13;

    /// <summary>Of another library's failure, whatever it wrapped around SQLite's.</summary>
    public static JournalException Of(string path, Exception failure)
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            if (e is SqliteException s)
                return s.Message.Contains(SqliteSchema.FenceMark, StringComparison.Ordinal) ? new(JournalFault.Fenced, $"{path}: another process took the search over; this process stops", e) : Of(path, s);
            if (e is JournalException known)
                return known;
        }

        return new(JournalFault.Unavailable, $"{path}: {failure.Message}", failure);
    }

    public static JournalException Of(string path, SqliteException e) => e.SqliteErrorCode switch
    {
        26 => new(JournalFault.Foreign, $"{path} is not a SQLite file, so not a journal of this product; name another folder with --out", e),
        1 => new(JournalFault.Damaged, $"{path}: its tables are not those of a journal any more ({e.Message}); restore the file (with its -wal) from a backup", e), // The statements never change.
        11 => new(JournalFault.Damaged, $"{path} is damaged ({e.Message}); restore the file from a backup", e),
        SqliteFull => new(JournalFault.Unavailable, $"{path}: the disk is full; free some space, the search then goes on", e),
        14 or 8 => new(JournalFault.Unavailable, $"{path} cannot be opened for writing ({e.Message}); check the folder's rights", e),
        _ => new(JournalFault.Unavailable, string.Create(CultureInfo.InvariantCulture, $"{path}: {e.Message}"), e),
    };
}
