namespace DaNas.Runtime.Journal;

/// <summary>
/// Tables of the journal file: those of Akka.Persistence.Sql 1.5 (one column name differs: hocon/akka/reference.conf), and the writer's
/// epoch.
/// </summary>
internal static class SqliteSchema
{
    public const string Tables = """
        CREATE TABLE IF NOT EXISTS journal (
          ordering INTEGER PRIMARY KEY AUTOINCREMENT,
          is_deleted INTEGER NOT NULL DEFAULT 0,
          persistence_id VARCHAR(255) NOT NULL,
          sequence_number BIGINT NOT NULL,
          created BIGINT NOT NULL,
          tags VARCHAR(100) NULL,
          message BLOB NOT NULL,
          identifier INTEGER NULL,
          manifest VARCHAR(500) NULL,
          writer_uuid VARCHAR(128) NULL,
          CONSTRAINT journal_uq UNIQUE (persistence_id, sequence_number));
        CREATE TABLE IF NOT EXISTS tags (
          ordering_id BIGINT NOT NULL,
          tag VARCHAR(64) NOT NULL,
          sequence_nr BIGINT NOT NULL,
          persistence_id VARCHAR(255) NOT NULL,
          PRIMARY KEY (ordering_id, tag));
        CREATE TABLE IF NOT EXISTS journal_metadata (
          persistence_id VARCHAR(255) NOT NULL,
          sequence_number BIGINT NOT NULL,
          PRIMARY KEY (persistence_id, sequence_number));
        CREATE TABLE IF NOT EXISTS danas_writer (
          persistence_id VARCHAR(255) NOT NULL PRIMARY KEY,
          epoch INTEGER NOT NULL,
          writer_uuid VARCHAR(128) NOT NULL);
        """;

    /// <summary>What a refused row says.</summary>
    public const string FenceMark = "danas-fence";

    /// <summary>
    /// Rows of whoever is not the writer are refused, whatever program inserts them. SQLite has no settings of a connection that a trigger
    /// could read, so the epoch is taken from the row, where it is part of the hash chain.
    /// </summary>
    public const string Fence = $"""
        CREATE TRIGGER IF NOT EXISTS danas_fence BEFORE INSERT ON journal
        WHEN json_extract(CAST(NEW.message AS TEXT), '$.epoch')
          IS NOT (SELECT epoch FROM danas_writer WHERE persistence_id = NEW.persistence_id)
        BEGIN SELECT RAISE(ABORT, '{FenceMark}: another process took this search over'); END;
        """;
}
