using System.Globalization;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Torch.Checkpoints;

namespace DaNas.Torch.Training;

/// <summary>
/// Local SGD's average (Stich 2019) over a round's logical shards, by tensor name and in shard order: each part's change is weighted by the
/// optimiser steps that touched it (none: unchanged), batch-norm statistics are pooled, architecture parameters averaged. Sums are in
/// double precision.
/// </summary>
public static class RoundMerge
{
    /// <summary>Merges checkpoints of the same tensors onto the state that all started from.</summary>
    public static byte[] Merge(byte[] start, IReadOnlyList<byte[]> shards)
    {
        (Dictionary<string, HostTensor> origin, _) = Safetensors.Read(start);
        (Dictionary<string, HostTensor> Tensors, Dictionary<string, string> Metadata)[] parts = [.. shards.Select(Safetensors.Read)];
        Dictionary<string, HostTensor> merged = new(StringComparer.Ordinal);
        foreach (string name in parts[0].Tensors.Keys.Order(StringComparer.Ordinal))
        {
            HostTensor[] tensors = [.. parts.Select(p => p.Tensors[name])];
            double[] shares = Shares(name, parts.Select(p => p.Metadata));
            merged[name] = name[0] switch
            {
                'a' => Average(tensors),
                // They move in every shard, also of parts that none trained.
                'e' when origin.ContainsKey(name) => Weighted(origin[name], tensors, [.. shards.Select(_ => 1.0 / shards.Count)]),
                'e' => tensors[0],
                'h' => SupernetState.ToHost(PathLoss.Merge(tensors.Select(SupernetState.PathLosses))),
                'b' when name.EndsWith(".variance", StringComparison.Ordinal) =>
                    Pooled(origin[name], tensors, [.. parts.Select(p => p.Tensors[Mean(name)])], shares),
                _ => Weighted(origin[name], tensors, shares),
            };
        }

        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        if (parts[0].Metadata.TryGetValue("adam-steps", out string? steps))
            metadata["adam-steps"] = steps;
        return Safetensors.Write(merged, metadata);
    }

    private static string Mean(string variance) => variance[..^"variance".Length] + "mean";

    /// <summary>
    /// The share of each shard in a tensor's part: its optimiser steps there over all shards' steps there; all 0 where none trained it.
    /// </summary>
    private static double[] Shares(string name, IEnumerable<Dictionary<string, string>> metadata)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        string part = dot > 0 ? name[2..dot] : name[2..];
        double[] steps =
            [.. metadata.Select(m => m.TryGetValue($"steps/{part}", out string? s) ? double.Parse(s, CultureInfo.InvariantCulture) : 0)];
        double total = steps.Sum();
        return total > 0 ? [.. steps.Select(s => s / total)] : steps;
    }

    private static HostTensor Weighted(HostTensor origin, HostTensor[] tensors, double[] shares)
    {
        if (shares.All(s => s == 0))
            return origin;
        float[] result = new float[origin.Floats.Length];
        for (int i = 0; i < result.Length; i++)
        {
            double start = origin.Floats[i];
            double change = 0;
            for (int s = 0; s < tensors.Length; s++)
                change += shares[s] * (tensors[s].Floats[i] - start);
            result[i] = (float)(start + change);
        }

        return HostTensor.Of(result, origin.Shape);
    }

    /// <summary>Variance of the pooled statistics: E[v + m^2] - E[m]^2.</summary>
    private static HostTensor Pooled(HostTensor origin, HostTensor[] variances, HostTensor[] means, double[] shares)
    {
        if (shares.All(s => s == 0))
            return origin;
        float[] result = new float[origin.Floats.Length];
        for (int i = 0; i < result.Length; i++)
        {
            double square = 0;
            double mean = 0;
            for (int s = 0; s < variances.Length; s++)
            {
                double m = means[s].Floats[i];
                square += shares[s] * (variances[s].Floats[i] + (m * m));
                mean += shares[s] * m;
            }

            result[i] = (float)Math.Max(0, square - (mean * mean));
        }

        return HostTensor.Of(result, origin.Shape);
    }

    private static HostTensor Average(HostTensor[] tensors)
    {
        double[] result = new double[tensors[0].Doubles.Length];
        foreach (HostTensor t in tensors)
        {
            if (t.Doubles.Length != result.Length)
                throw new DataException("shards of one round hold different architecture parameters");
            for (int i = 0; i < result.Length; i++)
                result[i] += t.Doubles[i] / tensors.Length;
        }

        return HostTensor.Of(result);
    }
}
