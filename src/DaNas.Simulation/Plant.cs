namespace DaNas.Simulation;

/// <summary>Defects that are planted on purpose: each must be found by the simulation's checks.</summary>
public enum Plant
{
    None,

    /// <summary>Nobody compares epochs: neither the store when it appends, nor a writer when it reads.</summary>
    FencingRemoved,

    /// <summary>What was decided is acknowledged before it is stored.</summary>
    ReplyBeforePersist,

    /// <summary>The fold reads the clock.</summary>
    ClockInFold,

    /// <summary>The search's retry timer never fires.</summary>
    LostTimer,

    /// <summary>Weights that the search stands on are discarded with the others.</summary>
    EarlyDiscard,
}
