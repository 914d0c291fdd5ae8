namespace DaNas.Actors.Journals;

/// <summary>What went wrong with the journal, in words for an operator.</summary>
public enum JournalFault
{
    /// <summary>Cannot be used now (full disk, lost connection); waiting helps.</summary>
    Unavailable,

    /// <summary>Another writer took over; this one must stop.</summary>
    Fenced,

    /// <summary>What is stored is not what was stored, or its end is missing.</summary>
    Damaged,

    /// <summary>Not a journal of this product, or of a newer version.</summary>
    Foreign,
}
