using System.Net;
using DaNas.Actors.Dispatch;
using DaNas.Domain.Ports;
using DaNas.Domain.Work;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Tests;

/// <summary>Which attempts a node's trainer joins, and which it runs anew.</summary>
public sealed class NodeTrainerTests
{
    /// <summary>
    /// Dispatchers number attempts from 1: one that has ended must not answer its namesake, whose blobs may be gone or back by then.
    /// </summary>
    [Fact]
    public async Task An_attempt_that_has_ended_answers_its_own_lease_alone()
    {
        NodeAddress here = new("127.0.0.1", 7411, 8411);
        NodeSettings settings = new("n", "c", new IPEndPoint(IPAddress.Loopback, 7411), new IPEndPoint(IPAddress.Loopback, 8411), here,
            new OutputFolder("out"));
        await using NodeTrainer trainer = new(0, settings, null!, null!, _ => { });
        using CancellationTokenSource stopped = new();
        await stopped.CancelAsync(); // Each attempt ends at once.
        DispatchProtocol.RunAttempt attempt =
            new("x", new WorkUnit.EvaluateArchitecture("derive/0", 1, 0, new("x", ["k3e3"]), null), 1, 1) { Lease = 5 };
        Task<UnitOutcome> first = trainer.RunAsync(attempt, stopped.Token);
        await first;
        trainer.RunAsync(attempt, stopped.Token).ShouldBeSameAs(first); // Its actor was made anew.
        trainer.RunAsync(attempt with { Lease = 6 }, stopped.Token).ShouldNotBeSameAs(first);
    }
}
