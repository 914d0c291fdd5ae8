using System.Collections.Concurrent;
using DaNas.Drills;
using DaNas.Simulation;
using DaNas.SimulationKit;
using Xunit.Abstractions;

namespace DaNas.Actors.Tests;

/// <summary>Tests that take every core for a minute: alone, so that others need not wait for a thread.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

/// <summary>
/// The whole system under drawn faults in virtual time. A failure prints its seed; 'danas simulate --replay SEED' shows its history.
/// </summary>
[Collection(Alone.Name)]
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static readonly ParallelOptions AllCores = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    [Fact]
    public void A_thousand_seeds_of_faults_end_as_their_clean_runs()
    {
        SimulationSuite suite = new();
        ConcurrentBag<SimulationResult> results = [];
        Parallel.For(1, 1001, AllCores, seed => results.Add(suite.Run(seed)));
        foreach (SimulationResult bad in results.Where(r => !r.Good))
            output.WriteLine($"danas simulate --replay {bad.Seed}: {string.Join("; ", bad.Violations)}");
        results.Where(r => !r.Good).Select(r => r.Seed).ShouldBeEmpty();
        results.Count.ShouldBe(1000);
        results.Average(r => r.Faults).ShouldBeGreaterThan(20);
        results.Average(r => r.Units).ShouldBeInRange(150, 400);
    }

    [Theory]
    [InlineData(Plant.FencingRemoved, "two writers")]
    [InlineData(Plant.ReplyBeforePersist, "the store does not have it")]
    [InlineData(Plant.ClockInFold, "not the fold")]
    [InlineData(Plant.LostTimer, "does not end")]
    [InlineData(Plant.EarlyDiscard, "the search stands on it")]
    public void A_planted_defect_is_found_within_twenty_seeds(Plant plant, string found)
    {
        SimulationSuite suite = new();
        ConcurrentBag<SimulationResult> results = [];
        Parallel.For(1, 21, AllCores, seed => results.Add(suite.Run(seed, new SimulationOptions(plant))));
        results.SelectMany(r => r.Violations).ShouldContain(v => v.Contains(found, StringComparison.Ordinal));
    }

    [Fact]
    public void The_fewest_faults_with_which_a_seed_still_fails_are_found()
    {
        SimulationSuite suite = new();
        SimulationResult whole = suite.Run(3, new SimulationOptions(Plant.FencingRemoved));
        whole.Good.ShouldBeFalse();
        IReadOnlyList<PlannedFault> least = Shrinking.Minimal(
            whole.Plan, some => !suite.Run(3, new SimulationOptions(Plant.FencingRemoved, Only: [.. some.Select(f => f.Number)])).Good);
        least.ShouldHaveSingleItem().Kind.ShouldBe("PauseCoordinator"); // A writer that slept through its successor's beginning.
    }

    [Fact]
    public void Seeds_replay_to_the_last_turn()
    {
        SimulationSuite suite = new();
        ConcurrentBag<(SimulationResult First, SimulationResult Again)> results = [];
        Parallel.For(1, 41, AllCores, seed => results.Add((suite.Run(seed), suite.Run(seed))));
        results.Where(r => (r.First.History, r.First.Turns, r.First.Virtual) != (r.Again.History, r.Again.Turns, r.Again.Virtual))
            .Select(r => r.First.Seed).ShouldBeEmpty();
        results.Select(r => r.First.History).Distinct().Count().ShouldBe(40);
    }
}
