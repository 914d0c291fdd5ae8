using DaNas.Domain.Values;

namespace DaNas.Simulation.Engines;

/// <summary>
/// The peers of a strategy on a table, each with a number of noisy evaluations: what they choose is judged by truth. Where an architecture
/// was evaluated more than once, its mean counts.
/// </summary>
public static class TableSearchers
{
    /// <summary>The peers by name: each takes a table, noise, evaluations and a seed, and gives the index of its choice.</summary>
    public static IReadOnlyDictionary<string, Func<ArchitectureTable, double, int, long, int>> All { get; } =
        new Dictionary<string, Func<ArchitectureTable, double, int, long, int>>(StringComparer.Ordinal)
        {
            ["random-search"] = (t, s, n, seed) => Random(new(t, s, n, seed)),
            ["regularised-evolution"] = (t, s, n, seed) => Evolution(new(t, s, n, seed)),
            ["local-search"] = (t, s, n, seed) => Local(new(t, s, n, seed)),
            ["successive-halving"] = (t, s, n, seed) => Halving(new(t, s, n, seed)),
        };

    /// <summary>
    /// Random search: one evaluation each of architectures drawn without replacement, begun anew when all were seen; the best seen.
    /// </summary>
    private static int Random(Evaluations e)
    {
        Queue<int> order = [];
        while (e.Left > 0)
        {
            if (order.Count == 0)
                order = new(e.Shuffled());
            e.Take(order.Dequeue());
        }

        return e.Best();
    }

    /// <summary>
    /// Regularised evolution (Real et al. 2019): population 100, sample 25, one mutation a child, the oldest dies; the best seen.
    /// </summary>
    private static int Evolution(Evaluations e)
    {
        const int population = 100, sample = 25;
        Queue<(int Index, double Accuracy)> alive = [];
        while (e.Left > 0)
        {
            int child = e.Draw();
            if (alive.Count == population)
            {
                (int Index, double Accuracy)[] members = [.. alive];
                int parent = Enumerable.Range(0, sample).Select(_ => members[e.Random.NextInt(population)]).MaxBy(m => m.Accuracy).Index;
                child = e.Mutate(parent);
                alive.Dequeue();
            }

            alive.Enqueue((child, e.Take(child)));
        }

        return e.Best();
    }

    /// <summary>
    /// Local search (White et al. 2021): the best of all neighbours until none is better, then from another random place; the best seen.
    /// </summary>
    private static int Local(Evaluations e)
    {
        while (e.Left > 0)
        {
            int here = e.Draw();
            double best = e.Take(here);
            for (bool better = true; better && e.Left > 0;)
            {
                better = false;
                int next = here;
                foreach (int neighbour in e.Neighbours(here))
                {
                    if (e.Left == 0)
                        break;
                    if (e.Take(neighbour) is var a && a > best)
                        (best, next, better) = (a, neighbour, true);
                }

                here = next;
            }
        }

        return e.Best();
    }

    /// <summary>
    /// Successive halving (Jamieson and Talwalkar 2016) in evaluations: each round has an equal part of them, and the better half goes on.
    /// </summary>
    private static int Halving(Evaluations e)
    {
        int rounds = Math.Max(1, (int)Math.Round(Math.Log2(Math.Max(2, e.Left)) - 2));
        int[] alive = [.. Enumerable.Range(0, Math.Max(1, e.Left / rounds)).Select(_ => e.Draw()).Distinct()];
        int part = Math.Max(1, e.Left / rounds);
        for (int round = 0; round < rounds && alive.Length > 0; round++)
        {
            for (int i = 0; i < part && e.Left > 0; i++)
                e.Take(alive[i % alive.Length]);
            if (alive.Length > 1)
                alive = [.. alive.OrderByDescending(e.Mean).ThenBy(a => a).Take((alive.Length + 1) / 2)];
        }

        return alive.OrderByDescending(e.Mean).ThenBy(a => a).First();
    }

    /// <summary>A budget of evaluations and what they gave.</summary>
    private sealed class Evaluations(ArchitectureTable table, double noise, int budget, long seed)
    {
        private readonly Dictionary<int, (double Sum, int Count)> seen = [];

        public SeededRandom Random { get; } = new(seed);

        public int Left { get; private set; } = budget;

        public int[] Shuffled()
        {
            int[] all = [.. Enumerable.Range(0, table.Count)];
            Random.Shuffle(all.AsSpan());
            return all;
        }

        public int Draw() => Random.NextInt(table.Count);

        public double Take(int index)
        {
            Left--;
            double accuracy = table.Evaluate(index, noise, Random);
            (double sum, int count) = seen.GetValueOrDefault(index);
            seen[index] = (sum + accuracy, count + 1);
            return accuracy;
        }

        public double Mean(int index) => seen.TryGetValue(index, out (double Sum, int Count) s) ? s.Sum / s.Count : double.NegativeInfinity;

        public int Best() => seen.Keys.OrderByDescending(Mean).ThenBy(i => i).First();

        public int Mutate(int index)
        {
            int position = Random.NextInt(table.Positions);
            int other = Random.NextInt(table.Options - 1);
            return table.With(index, position, other >= table.OptionAt(index, position) ? other + 1 : other);
        }

        public IEnumerable<int> Neighbours(int index)
        {
            int[] all = [.. Enumerable.Range(0, table.Positions).SelectMany(
                p => Enumerable.Range(0, table.Options).Where(o => o != table.OptionAt(index, p)).Select(o => table.With(index, p, o)))];
            Random.Shuffle(all.AsSpan());
            return all;
        }
    }
}
