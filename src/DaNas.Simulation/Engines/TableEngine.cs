using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Evidence;

namespace DaNas.Simulation.Engines;

/// <summary>
/// Answers from a table of trained architectures: an architecture step draws paths as training does and takes one noisy evaluation of each
/// for its loss (1 - accuracy); evidence and derivation take noisy evaluations; retraining gives the truth. There are no weights: a state's
/// blob holds the architecture parameters and their Adam moments. A unit's <c>ForwardImages</c> are its evaluations.
/// </summary>
public sealed class TableEngine(EngineContext context, ArchitectureTable table, IBlobStore blobs) : ITrainingEngine
{
    private readonly SearchConfig config = context.Config;
    private readonly SearchSpace space = context.Config.SpaceFor(1);
    private readonly CostTable costs = CostTable.Of(context.Config.SpaceFor(1));
    private readonly ArchitectureBudget budget = ArchitectureBudget.Of(context.Config.SpaceFor(1), context.Config.Cost);

    /// <summary>What results depend on, as one line.</summary>
    public static string ProfileOf(ArchitectureTable table) => $"table {table.Name} {table.Fingerprint.Short}";

    public Task<UnitOutcome> RunAsync(WorkUnit unit, CancellationToken cancellation) => Task.FromResult(Run(unit));

    /// <summary>Runs a unit to its end; a missing state is an outcome.</summary>
    public UnitOutcome Run(WorkUnit unit)
    {
        try
        {
            return new UnitOutcome.Completed(Answer(unit));
        }
        catch (BlobException e)
        {
            return e.Fault == BlobFault.Lost
                ? new UnitOutcome.Failed(Domain.Faults.FailureKind.MissingBlob, e.Message, 0, e.Blob)
                : new UnitOutcome.Failed(Domain.Faults.FailureKind.StorageUnavailable, e.Message, 0);
        }
        catch (DataException e)
        {
            return new UnitOutcome.Failed(Domain.Faults.FailureKind.EngineError, e.Message, 0);
        }
    }

    private UnitResult Answer(WorkUnit unit)
    {
        SeededRandom random = new(SeededRandom.Derive(unit.Seed, unit.Id));
        return unit switch
        {
            WorkUnit.TrainShard u => Train(u, random),
            WorkUnit.MergeRound u => Merge(u),
            WorkUnit.EvaluateBlocks u => Blocks(u, random),
            WorkUnit.TestBlocks u => new UnitResult.BlocksTested(
                u.Id, UnitCost.Zero, new(0), BlockEffects.Of(Paths(State(u.Input!)), space, u, config.Prune.Removed)),
            WorkUnit.ProbePath u => new UnitResult.PathPassed(u.Id, UnitCost.Zero, new(0), 0),
            WorkUnit.EvaluateArchitecture u => Score(u, table.Evaluate(table.IndexOf(u.Architecture.Blocks), config.Engine.Noise, random)),
            WorkUnit.RetrainSegment u => Domain.Searches.Finals.IsFinal(u.Run) ? Final(u, random) : Retrain(u),
            _ => throw new DataException($"a table has no answer to {unit.GetType().Name}; set curriculum.order = random"),
        };
    }

    private UnitResult.ShardTrained Train(WorkUnit.TrainShard u, SeededRandom random)
    {
        ArchitectureParameters parameters = u.Input is { } input ? Read(input, u.Alive) : new(u.Alive);
        if (u.Schedule.StageRound == 0)
            parameters.ResetAdam();
        List<PathLoss> known = u.Input is { } before ? [.. Paths(State(before))] : [];
        bool learns = !u.Stage.IsWarmup && config.Sampler.Kind != SamplerKind.Uniform && config.Search.Strategy == StrategyKind.DaNas;
        double[][] mean = [.. u.Alive.Layers.Select(l => new double[l.Count])];
        double total = 0;
        int evaluations = 0;
        for (int step = 0; step < config.Rounds.Steps; step++)
        {
            if (learns)
            {
                int[][] paths = [.. Enumerable.Range(0, config.Sampler.Paths).Select(_ => parameters.GumbelPath(random, 1).Path)];
                double[] losses = [.. paths.Select(p => 1 - table.Evaluate(IndexOf(u.Alive, p), config.Engine.Noise, random))];
                double[][] cost = parameters.ThroughSoftmax(parameters.CostTerm(costs, config.Cost, budget).Gradients);
                double[][] gradients = parameters.LeaveOneOutGradients(paths, losses);
                parameters.Adam([.. gradients.Select((g, l) => g.Zip(cost[l], (a, b) => a + b).ToArray())], config.Architecture);
                int at = (((u.Schedule.GlobalRound * config.Rounds.Shards) + u.Shard) * config.Rounds.Steps) + step;
                known.AddRange(paths.Zip(losses, (p, loss) =>
                    new PathLoss(at, loss, [.. p.Select((j, l) => space.IndexOf(l, u.Alive.Layers[l][j]))])));
                total += losses.Sum();
                evaluations += losses.Length;
            }

            for (int l = 0; l < mean.Length; l++)
            {
                double[] p = parameters.Probabilities(l);
                for (int j = 0; j < p.Length; j++)
                    mean[l][j] += p[j] / config.Rounds.Steps;
            }
        }

        // A round that evaluates nothing has loss and accuracy 0.
        double loss = evaluations == 0 ? 0 : Math.Round(total / evaluations, 6);
        return new(u.Id, new(evaluations, 0, 0), new(0), Write([parameters], u.Alive, known), loss, evaluations == 0
            ? 0 : Math.Round(1 - loss, 6), loss, mean.Select(l => l.Select(p => Math.Round(p, 9)).ToValueList()).ToValueList());
    }

    private UnitResult.BlocksEvaluated Blocks(WorkUnit.EvaluateBlocks u, SeededRandom random)
    {
        ArchitectureParameters uniform = new(u.Alive);
        ValueList<ValueList<double>> answers = u.Requests.Select(r => Enumerable.Range(0, config.Evidence.PathsPerBlock).Select(_ =>
        {
            int[] path = uniform.UniformPath(random);
            path[r.Layer] = u.Alive.Layers[r.Layer].TakeWhile(b => b != r.Block).Count();
            return Math.Round(table.Evaluate(IndexOf(u.Alive, path), config.Engine.Noise, random), 9);
        }).ToValueList()).ToValueList();
        return new(u.Id, new(answers.Sum(a => a.Count), 0, 0), new(0), answers);
    }

    private static UnitResult.ArchitectureEvaluated Score(WorkUnit.EvaluateArchitecture u, double accuracy) =>
        new(u.Id, new(1, 0, 0), new(0), Math.Round(accuracy, 9), Math.Round(1 - accuracy, 9));

    private UnitResult.SegmentRetrained Retrain(WorkUnit.RetrainSegment u)
    {
        double truth = Math.Round(table.Truth(table.IndexOf(u.Architecture.Blocks)), 9);
        BlobRef output = blobs.Put(JsonSerializer.SerializeToUtf8Bytes(
            new { architecture = u.Architecture.Text, table = table.Name, accuracy = truth }));
        bool last = u.Segment + 1 == u.Segments;
        return new(u.Id, UnitCost.Zero, new(0), output, Math.Round(1 - truth, 9), truth, last ? truth : null, last
            ? [truth] : null, last ? output.Digest : null);
    }

    /// <summary>A training of the finals: as many evaluations as steps, and their mean.</summary>
    private UnitResult.SegmentRetrained Final(WorkUnit.RetrainSegment u, SeededRandom random)
    {
        int from = u.Segment * config.Retrain.SegmentSteps, evaluations = Math.Min(u.TotalSteps, from + config.Retrain.SegmentSteps) - from;
        double before = u.Input is { } input ? JsonSerializer.Deserialize<double>(blobs.Get(input)) : 0;
        double sum = before + Enumerable.Range(0, evaluations)
            .Sum(_ => table.Evaluate(table.IndexOf(u.Architecture.Blocks), config.Engine.Noise, random));
        BlobRef output = blobs.Put(JsonSerializer.SerializeToUtf8Bytes(sum));
        double mean = Math.Round(sum / (from + evaluations), 9);
        bool last = u.Segment + 1 == u.Segments;
        return new(u.Id, new(evaluations, 0, 0), new(0), output, Math.Round(1 - mean, 9), mean, last ? mean : null, last
            ? [mean] : null, last ? output.Digest : null);
    }

    private int IndexOf(AliveBlocks alive, int[] path) => table.IndexOf([.. path.Select((j, l) => alive.Layers[l][j])]);

    private UnitResult.RoundMerged Merge(WorkUnit.MergeRound u)
    {
        BlobRef merged = Write(u.Shards.Select(b => Read(b, u.Alive)).ToList(), u.Alive,
            PathLoss.Merge(u.Shards.Select(b => Paths(State(b)))));
        return new(u.Id, UnitCost.Zero, new(0), merged);
    }

    private TableState State(BlobRef blob) => JsonSerializer.Deserialize<TableState>(blobs.Get(blob))
        ?? throw new DataException($"blob {blob.Digest.Short} is no state of a table search");

    private IReadOnlyList<PathLoss> Paths(TableState state) => [.. MemoryMarshal.Cast<byte, double>(state.PathLosses ?? []).ToArray()
        .Chunk(space.Layers.Count + 2).Select(r => PathLoss.FromRow(r))];

    private ArchitectureParameters Read(BlobRef blob, AliveBlocks alive)
    {
        TableState state = State(blob);
        ArchitectureParameters parameters = new(alive) { Steps = state.Steps };
        for (int l = 0; l < alive.Layers.Count; l++)
        {
            for (int j = 0; j < alive.Layers[l].Count; j++)
            {
                double[] of = state.Layers[l][alive.Layers[l][j]];
                parameters[l, j] = (of[0], of[1], of[2]);
            }
        }

        return parameters;
    }

    /// <summary>The mean of some states, as a merge of training has it.</summary>
    private BlobRef Write(IReadOnlyList<ArchitectureParameters> states, AliveBlocks alive, IReadOnlyList<PathLoss> known)
    {
        Dictionary<string, double[]>[] layers = [.. alive.Layers.Select((l, i) => l.Select((b, j) => (b, Mean: (double[])[
            states.Average(s => s[i, j].Alpha), states.Average(s => s[i, j].First),
                states.Average(s => s[i, j].Second)])).ToDictionary(x => x.b, x => x.Mean, StringComparer.Ordinal))];
        return blobs.Put(JsonSerializer.SerializeToUtf8Bytes(new TableState(
            states[0].Steps, layers)
        {
            PathLosses = config.Evidence.Kind == EvidenceKind.Effect
            ? MemoryMarshal.AsBytes<double>(PathLoss.Kept(known).SelectMany(p => p.ToRow()).ToArray()).ToArray() : null
        }));
    }

    /// <summary>Adam steps of the stage, and for each position alpha and both moments by option.</summary>
    private sealed record TableState(int Steps, Dictionary<string, double[]>[] Layers)
    {
        /// <summary>The path losses so far as rows of doubles (little endian), where the evidence is of them.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public byte[]? PathLosses { get; init; }
    }
}
