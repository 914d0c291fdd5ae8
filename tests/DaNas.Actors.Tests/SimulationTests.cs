using System.Collections.Concurrent;
using DaNas.Simulation;
using DaNas.Cli.Verbs;
using Xunit.Abstractions;

namespace DaNas.Actors.Tests;

/// <summary>Tests that take every core for a minute: alone, so that others need not wait for a thread.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

/// <summary>The whole system under drawn faults in virtual time. A failure prints its seed; 'danas simulate --replay SEED' shows its history.</summary>
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
        Parallel.For(1, 21, AllCores, seed => results.Add(suite.Run(seed, plant)));
        results.SelectMany(r => r.Violations).ShouldContain(v => v.Contains(found, StringComparison.Ordinal));
    }

    [Fact]
    public void A_hundred_seeds_replay_to_the_last_turn()
    {
        SimulationSuite suite = new();
        ConcurrentBag<(SimulationResult First, SimulationResult Again)> results = [];
        Parallel.For(1, 101, AllCores, seed => results.Add((suite.Run(seed), suite.Run(seed))));
        results.Where(r => (r.First.History, r.First.Turns, r.First.Virtual) != (r.Again.History, r.Again.Turns, r.Again.Virtual)).Select(r => r.First.Seed).ShouldBeEmpty();
        results.Select(r => r.First.History).Distinct().Count().ShouldBe(100);
    }
}
