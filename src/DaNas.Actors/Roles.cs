namespace DaNas.Actors;

/// <summary>Well-known roles that a host resolves to addresses.</summary>
public static class Roles
{
    public const string Dispatcher = "dispatcher";

    /// <summary>The leader's reception.</summary>
    public const string Cluster = "cluster";
}

/// <summary>Well-known ports that a host runs outside the actors.</summary>
public static class Ports
{
    public const string Blobs = "blobs";

    /// <summary>The engine behind one trainer.</summary>
    public static string Engine(int trainer) => $"engine-{trainer}";

    /// <summary>Seconds (a double) since that engine last gave a sign of life.</summary>
    public static string Pulse(int trainer) => $"pulse-{trainer}";
}
