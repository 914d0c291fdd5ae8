using DaNas.Domain.Configuration;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Domain.Tests;

/// <summary>Sentences that stand in decisions: another word would be another decision hash.</summary>
public sealed class ConfigDriftTests
{
    [Fact]
    public void What_differs_between_two_data_sets_is_told_in_the_words_that_decisions_store()
    {
        DatasetSummary before = new("x", Digest.Of("a"), ["a", "b"], [3, 3], [1, 1], [2, 2]);
        DatasetSummary after = new("x", Digest.Of("b"), ["a", "b", "c"], [3, 3, 3], [1, 1, 1], [2, 2, 2]);
        ConfigDrift.Of(before, after).ShouldBe([
            $"fingerprint: {before.Fingerprint.Short} -> {after.Fingerprint.Short}", "classes: 2 -> 3", "training pictures: 8 -> 12",
            "test pictures: 4 -> 6"]);
    }
}
