using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Strategies;
using DaNas.Domain.Values;

namespace DaNas.Domain.Tests;

/// <summary>Which architectures come to the finals: the best by score, and a share of random ones.</summary>
public sealed class CandidatesTests
{
    private const int Count = 16;

    private static readonly SearchSpace Space = TestSearches.Config().SpaceFor(12);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 8)]
    [InlineData(1, 15)] // The best one by score is always there.
    public void A_share_is_random_and_the_rest_the_best_by_score(double share, int random)
    {
        string[] best = [.. Rank(0, Space.AllBlocks).Select(r => r.Architecture.Text)];
        best.Length.ShouldBe(Count);
        ValueList<RankedArchitecture> ranked = Rank(share, Space.AllBlocks);
        ranked.Select(r => r.Architecture).Distinct().Count().ShouldBe(Count);
        best.Take(Count - random).ShouldBeSubsetOf(ranked.Select(r => r.Architecture.Text));
        ranked.Select(r => r.LogScore).ShouldBe(ranked.Select(r => r.LogScore).OrderDescending());
        long budget = SearchState.BudgetOf(Space, TestSearches.Config().Cost);
        RankedArchitecture[] drawn = [.. ranked.Where(r => !best.Contains(r.Architecture.Text))];
        drawn.Length.ShouldBe(random);
        drawn.ShouldAllBe(r => r.Cost.Macs <= budget && r.Cost.Macs >= budget * 0.9);
        Rank(share, Space.AllBlocks).Select(r => r.Architecture.Text).ShouldBe(ranked.Select(r => r.Architecture.Text));
        if (random > 1)
            Rank(share, Space.AllBlocks, 2).Select(r => r.Architecture.Text).ShouldNotBe(ranked.Select(r => r.Architecture.Text));
    }

    /// <summary>The supernet has weights of the alive blocks alone.</summary>
    [Fact]
    public void Random_ones_are_of_alive_blocks()
    {
        AliveBlocks alive =
            new(Space.Layers.Select((l, i) => l.Candidates.Skip(i % 3).Take(3).Select(c => c.Name).ToValueList()).ToValueList());
        ValueList<RankedArchitecture> ranked = Rank(0.5, alive);
        ranked.Count.ShouldBe(Count);
        ranked.ShouldAllBe(r => r.Architecture.Blocks.Zip(alive.Layers).All(p => p.Item2.Contains(p.Item1)));
    }

    /// <summary>
    /// Three blocks are left in one layer and two in two others: of twelve architectures few are close under the budget, and the best by
    /// score fill up.
    /// </summary>
    [Fact]
    public void Too_few_random_ones_are_made_up_for_by_score()
    {
        int[] left = [1, 2, 2, 3, 1, 1];
        AliveBlocks few = new(Space.Layers.Select((l, i) => l.Candidates.Reverse().Take(left[i]).Reverse().Select(c => c.Name)
            .ToValueList()).ToValueList());
        ValueList<RankedArchitecture> all = Rank(0, few), some = Rank(0.5, few);
        some.Select(r => r.Architecture.Text).ShouldBe(all.Select(r => r.Architecture.Text));
    }

    [Fact]
    public void Fewer_than_wanted_are_all_there_are()
    {
        AliveBlocks few =
            new(Space.Layers.Select(l => l.Candidates.Skip(1).Take(l.Index == 2 ? 2 : 1).Select(c => c.Name).ToValueList()).ToValueList());
        Rank(0.5, few).Select(r => r.Architecture.Text).ShouldBe(Rank(0, few).Select(r => r.Architecture.Text));
    }

    /// <summary>
    /// Worked out by hand: means 0.65 and 0.6, squared errors 0.0025 and 0.01, 2.8 degrees of freedom taken as 2, so 4.3027 x 0.1118 either
    /// way.
    /// </summary>
    [Fact]
    public void Finalists_by_score_are_held_against_random_ones()
    {
        ValueList<RankedArchitecture> ranked = Rank(0.5, Space.AllBlocks);
        RankedArchitecture[] scored = [.. ranked.Where(r => !r.Random).Take(2)], drawn = [.. ranked.Where(r => r.Random).Take(3)];
        ranked.Count(r => r.Random).ShouldBe(8);
        SearchEvent[] events =
        [
            new SearchEvent.ArchitecturesRanked(1, ranked),
            .. scored.Concat(drawn).Zip((double[])[0.6, 0.7, 0.5, 0.5, 0.8],
                (r, a) => (SearchEvent)new SearchEvent.FinalistMeasured($"final-1-{a}", r.Architecture, a, Digest.Of("w"))),
            new SearchEvent.FinalistMeasured("final-2-1", drawn[2].Architecture, 0.1, Digest.Of("w")), // A later rung is another recipe.
            // In neither mean.
            new SearchEvent.FinalistMeasured("final-1-9", ranked.Last(r => r.Random).Architecture, 0, Digest.Of("failed")),
        ];
        FinalistComparison.Of(SearchState.Initial, events).ShouldBeNull();
        SearchState end = SearchState.Initial with
        {
            Selected =
            new SearchEvent.ArchitectureSelected(drawn[2].Architecture, drawn[2].Cost, [], [])
        };
        FinalistComparison found = FinalistComparison.Of(end, events)!;
        (found.Scored, found.Drawn, found.WinnerIsRandom).ShouldBe((2, 3, true));
        found.ByScore.ShouldBe(0.65, 1e-9);
        found.Random.ShouldBe(0.6, 1e-9);
        found.Low.ShouldBe(0.05 - 0.48105, 1e-3);
        found.High.ShouldBe(0.05 + 0.48105, 1e-3);
        FinalistComparison.Of(end, [new SearchEvent.ArchitecturesRanked(1, Rank(0, Space.AllBlocks)), .. events.Skip(1)]).ShouldBeNull();
        FinalistComparison.Of(end, [.. events, new SearchEvent.FinalsOpened(0, ranked.Select(r => r.Architecture).ToValueList())])
            .ShouldNotBeNull();
        FinalistComparison.Of(end, [.. events, new SearchEvent.FinalsOpened(0, ranked.Take(5).Select(r => r.Architecture).ToValueList())])
            .ShouldBeNull("the supernet chose among the random ones");
    }

    /// <summary>The costs of a table are lists by option, so a space with fewer options has shorter ones.</summary>
    [Fact]
    public void A_space_of_some_blocks_has_their_costs()
    {
        SearchSpace table = TestSearches.Config("nas-bench-macro", "engine.table=made-up").SpaceFor(10);
        AliveBlocks last = new(table.Layers.Select(l => (ValueList<string>)[l.Candidates[^1].Name]).ToValueList());
        Architecture one = new(table.Name, last.Layers.Select(l => l[0]).ToValueList());
        CostTable.Of(table.Only(last)).Of(one).ShouldBe(CostTable.Of(table).Of(one));
        CostTable.Of(Space.Only(new(Space.Layers.Select(l => (ValueList<string>)[l.Candidates[^1].Name]).ToValueList())))
            .Of(5, Space.Layers[5].Candidates[^1].Name).ShouldBe(CostTable.Of(Space).Of(5, Space.Layers[5].Candidates[^1].Name));
    }

    private static ValueList<RankedArchitecture> Rank(double share, AliveBlocks alive, long seed = 1)
    {
        SearchConfig config = TestSearches.Config("drawn-12", Invariant($"derivation.random={share}"),
            $"derivation.candidates={Count}", $"search.seed={seed}");
        ScoreTable scores = new(Space.Layers.SelectMany(l =>
            l.Candidates.Select((b, i) => new BlockScore(l.Index, b.Name, 0.01 * ((i * (l.Index + 2)) % 7), 0, 0, 0, 50))).ToValueList());
        return Strategy.Of(config).Rank(SearchState.Initial with { Config = config, Space = Space, Alive = alive }, scores);
    }
}
