namespace DaNas.Domain.Ports;

/// <summary>
/// Places where a test may kill the process: just before and just after an event or a blob becomes durable. In production nobody
/// listens and a place costs one comparison with null.
/// </summary>
public static class FaultPoints
{
    public const string EventBefore = "event-before";
    public const string EventAfter = "event-after";
    public const string BlobBefore = "blob-before";
    public const string BlobAfter = "blob-after";

    /// <summary>
    /// Called with layer (from 1) and block before each forward pass of a candidate block; true asks for an output that is no number.
    /// Null in production.
    /// </summary>
    public static Func<int, string, bool>? BlockEntered { get; set; }

    /// <summary>Called at each place with its name; null in production.</summary>
    public static Action<string>? Passed { get; set; }
}
