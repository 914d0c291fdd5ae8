using DaNas.Runtime.Cluster;

namespace DaNas.Cli.Tests;

/// <summary>Whoever is refused again and again fills no log.</summary>
public sealed class RefusalLogTests
{
    [Fact]
    public void Somebody_who_knocks_all_night_is_named_once_a_minute()
    {
        StillClock clock = new();
        List<string> said = [];
        RefusalLog log = new(said.Add, clock);
        for (int i = 0; i < 100; i++)
            log.Say("10.0.0.1", "no secret");
        log.Say("10.0.0.2", "no secret");
        said.Count.ShouldBe(2);
        clock.Now += TimeSpan.FromMinutes(2);
        log.Say("10.0.0.1", "no secret");
        said[^1].ShouldContain("99 more times");
        for (int i = 0; i < 5000; i++)
            log.Say($"2001:db8::{i:x}", "no secret");
        said.Count.ShouldBe(5003);
    }

    private sealed class StillClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
