namespace DaNas.Domain.Evaluation;

/// <summary>
/// The loss of one path in one architecture step. Blocks are counted in the order of the space, so that a pruning does not rename them.
/// </summary>
public sealed record PathLoss(int Step, double Loss, IReadOnlyList<int> Blocks)
{
    /// <summary>So many are kept at most: their states travel with the weights, and more tell hardly more.</summary>
    public const int MostKept = 65_536;

    /// <summary>
    /// All path losses where there are no more than are kept, else those of every second step, or every fourth and so on.
    /// </summary>
    public static IReadOnlyList<PathLoss> Kept(IReadOnlyList<PathLoss> all)
    {
        for (int stride = 2; all.Count > MostKept; stride *= 2)
            all = [.. all.Where(p => p.Step % stride == 0)];
        return all;
    }

    /// <summary>The path losses of shards that went on from the same ones, by step.</summary>
    public static IReadOnlyList<PathLoss> Merge(IEnumerable<IReadOnlyList<PathLoss>> shards) =>
        Kept([.. shards.SelectMany(s => s.GroupBy(p => p.Step)).DistinctBy(g => g.Key).OrderBy(g => g.Key).SelectMany(g => g)]);

    /// <summary>As numbers: step, loss, blocks.</summary>
    public double[] ToRow() => [Step, Loss, .. Blocks.Select(b => (double)b)];

    public static PathLoss FromRow(ReadOnlySpan<double> row)
    {
        int[] blocks = new int[row.Length - 2];
        for (int l = 0; l < blocks.Length; l++)
            blocks[l] = (int)row[l + 2];
        return new((int)row[0], row[1], blocks);
    }
}
