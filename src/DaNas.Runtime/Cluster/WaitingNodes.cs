using System.Collections.Concurrent;
using System.Diagnostics;

namespace DaNas.Runtime.Cluster;

/// <summary>Nodes that asked lately, and do not reach the leader.</summary>
internal sealed class WaitingNodes
{
    private const int Most = 10_000;

    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, long> asked = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            foreach ((string name, long at) in asked)
            {
                if (Stopwatch.GetElapsedTime(at) > Lately)
                    asked.TryRemove(name, out _);
            }

            return asked.Count;
        }
    }

    public void Add(string node)
    {
        if (asked.Count < Most)
            asked[node] = Stopwatch.GetTimestamp();
    }
}
