namespace DaNas.Runtime.Cluster;

/// <summary>
/// Says who was refused, and why: once a minute for each address, with how often it was since. Somebody who knocks all night fills no disk.
/// </summary>
internal sealed class RefusalLog(Action<string> say, TimeProvider time)
{
    private const int MostAddresses = 1_000;

    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<string, (DateTimeOffset Said, long Since)> addresses = new(StringComparer.Ordinal);

    public void Say(string address, string why)
    {
        long unsaid;
        lock (gate)
        {
            DateTimeOffset now = time.GetUtcNow();
            bool seen = addresses.TryGetValue(address, out (DateTimeOffset Said, long Since) known);
            if (seen && now - known.Said < Quiet)
            {
                addresses[address] = (known.Said, known.Since + 1);
                return;
            }

            if (!seen && addresses.Count >= MostAddresses)
                addresses.Clear(); // Then some are said again; the list stays short.
            unsaid = seen ? known.Since : 0;
            addresses[address] = (now, 0);
        }

        say(unsaid == 0 ? $"{address}: {why}" : Invariant($"{address}: {why} (and {unsaid} more times since the last report)"));
    }
}
