using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster;
using DaNas.Actors.Logging;
using AkkaCluster = Akka.Cluster.Cluster;

namespace DaNas.Actors.Akka;

/// <summary>
/// The split-brain resolver: who has the store's word takes those for lost whom it cannot reach, and nobody else takes anybody for lost. A majority could
/// not decide: with two coordinators there is none, and a rack of trainers that fails at once must not end the search. Akka.NET's lease-majority strategy
/// would let trainers decide, which do not reach the store.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
internal sealed class LeaseDowning(ExtendedActorSystem system, AkkaCluster cluster) : IDowningProvider
{
    private readonly AkkaHost host = system.Settings.Setup.Get<AkkaHost.HostSetup>().Value.Host;

    /// <summary>None: a writer that still runs is refused by the store.</summary>
    public TimeSpan DownRemovalMargin => TimeSpan.Zero;

    /// <summary>Only where there is a leadership to be had.</summary>
    public Props? DowningActorProps => host.Node?.Leadership is { } leadership ? Props.Create(() => new Resolver(host, cluster, leadership)) : null;

    internal sealed class Resolver(AkkaHost host, AkkaCluster cluster, ILeadership leadership) : UntypedActor, IWithTimers
    {
        /// <summary>Longer than a leader that lost the word needs to leave.</summary>
        private static readonly TimeSpan HandOverPatience = TimeSpan.FromSeconds(15);

        private static readonly TimeSpan HoldUpPatience = TimeSpan.FromSeconds(20);

        private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

        private readonly TimeSpan stableAfter = cluster.System.Settings.Config.GetTimeSpan("danas.stable-after");
        private readonly Dictionary<UniqueAddress, long> unreached = [];
        private long? surplusSince;

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => Timers.StartPeriodicTimer("tick", TickNow.Instance, Tick);

        protected override void OnReceive(object message)
        {
            if (message is not TickNow)
                return;
            Member[] members = [.. cluster.State.Members.Where(m => m.Status is not (MemberStatus.Down or MemberStatus.Removed))];
            Member[] lost = [.. members.Where(m => !host.IsReached(m))];
            foreach (UniqueAddress back in unreached.Keys.Except(lost.Select(m => m.UniqueAddress)).ToList())
                unreached.Remove(back);
            foreach (Member member in lost)
                unreached.TryAdd(member.UniqueAddress, Stopwatch.GetTimestamp());
            Member? writer = Oldest(members, false);
            bool writerLost = writer is not null && lost.Contains(writer);
            if (leadership.IsWriter)
                Decide(lost, writer, writerLost);
            else if (HoldsUp(lost, writer, writerLost))
                host.Die("it does not reach a node that the leader reaches, and while it says so no node can come or go");
            else
                Contend((writerLost || (writer is not null && host.Leader == AkkaHost.NameOf(writer))) && Equals(Oldest(members.Except(lost).Where(m => !Equals(m, writer)), true)?.UniqueAddress, cluster.SelfUniqueAddress));
        }

        /// <summary>Where the singleton lives, or will: Akka's own order. One that is still joining comes last; where the others are lost it can be the only one left.</summary>
        private static Member? Oldest(IEnumerable<Member> members, bool joiningToo) =>
            members.Where(m => m.HasRole(AkkaNode.Coordinator) && (joiningToo || m.Status is not (MemberStatus.Joining or MemberStatus.WeaklyUp))).Order(Member.AgeOrdering).FirstOrDefault();

        /// <summary>
        /// The word is here, and the store has said so since: who is not reached is lost, the writer of before at once. If that one is reached and stays, the word is in the
        /// wrong place.
        /// </summary>
        private void Decide(Member[] lost, Member? writer, bool writerLost)
        {
            long confirmed = leadership.ConfirmedAt;
            foreach (Member member in lost.Where(m => Stopwatch.GetElapsedTime(unreached[m.UniqueAddress], confirmed) > (Equals(m, writer) ? TimeSpan.Zero : stableAfter)))
                Down(member);
            bool surplus = writer is not null && !writerLost && !Equals(writer.UniqueAddress, cluster.SelfUniqueAddress);
            surplusSince = surplus ? surplusSince ?? Stopwatch.GetTimestamp() : null;
            if (surplusSince is { } since && Stopwatch.GetElapsedTime(since) > HandOverPatience)
                host.Die($"it holds the lease, and {AkkaHost.NameOf(writer!)}, which should lead, is reached and does not go");
        }

        /// <summary>Members come and go only when nobody misses anybody: a standing coordinator with a broken line to another node is less needed than that.</summary>
        private bool HoldsUp(Member[] lost, Member? writer, bool writerLost) =>
            !host.HasSingleton && writer is not null && !writerLost && lost.Any(m => Stopwatch.GetElapsedTime(unreached[m.UniqueAddress]) > HoldUpPatience)
            && cluster.State.Members.Any(m => m.Status is not MemberStatus.Up);

        /// <summary>
        /// Who would be next waits for the store's word while the leader has it: a leader that is killed or frozen loses it whatever the failure detector thinks. Before
        /// the first leader of all has it, nobody stands in its way.
        /// </summary>
        private void Contend(bool isNext)
        {
            surplusSince = null;
            if (isNext)
                leadership.Contend();
            else if (!host.HasSingleton)
                leadership.Withdraw();
        }

        private void Down(Member member)
        {
            host.Say(LogEvent.MemberChanged, "Unreachable", "Lost", $"{AkkaHost.NameOf(member)} is not reached from the writer");
            cluster.Down(member.Address);
            unreached.Remove(member.UniqueAddress);
        }

        private sealed class TickNow
        {
            public static TickNow Instance { get; } = new();
        }
    }
}
