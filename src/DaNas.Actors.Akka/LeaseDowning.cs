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
        private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

        private readonly TimeSpan stableAfter = cluster.System.Settings.Config.GetTimeSpan("danas.stable-after");
        private readonly Dictionary<UniqueAddress, DateTimeOffset> unreachable = [];

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => Timers.StartPeriodicTimer("tick", TickNow.Instance, Tick);

        protected override void OnReceive(object message)
        {
            if (message is not TickNow)
                return;
            ClusterEvent.CurrentClusterState state = cluster.State;
            Member[] lost = [.. state.Unreachable.Where(m => m.Status is not (MemberStatus.Down or MemberStatus.Removed))];
            DateTimeOffset now = Context.System.Scheduler.Now;
            foreach (UniqueAddress back in unreachable.Keys.Except(lost.Select(m => m.UniqueAddress)).ToList())
                unreachable.Remove(back);
            foreach (Member member in lost)
                unreachable.TryAdd(member.UniqueAddress, now);
            Member? writer = Oldest(state.Members);
            bool writerLost = writer is not null && lost.Contains(writer);
            if (!leadership.IsWriter)
                Contend((writerLost || (writer is not null && host.Leader == Name(writer))) && Equals(Next(state.Members.Except(lost), writer)?.UniqueAddress, cluster.SelfUniqueAddress));
            else
                foreach (Member member in lost.Where(m => now - unreachable[m.UniqueAddress] > stableAfter || Equals(m, writer)))
                    Down(member);
        }

        /// <summary>Where the singleton lives, or will: Akka's own order.</summary>
        private static Member? Oldest(IEnumerable<Member> members) =>
            members.Where(m => m.HasRole(AkkaNode.Coordinator) && m.Status is not (MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Down or MemberStatus.Removed)).Order(Member.AgeOrdering).FirstOrDefault();

        private static Member? Next(IEnumerable<Member> reached, Member? writer) => Oldest(reached.Where(m => !Equals(m, writer)));

        private static string Name(Member member) => $"{member.Address.Host}:{member.Address.Port}";

        /// <summary>
        /// Who would be next waits for the store's word while the leader has it: a leader that is killed or frozen loses it whatever the failure detector thinks. Before
        /// the first leader of all has it, nobody stands in its way.
        /// </summary>
        private void Contend(bool isNext)
        {
            if (isNext)
                _ = leadership.WinAsync();
            else if (!host.IsSingletonHere)
                leadership.Withdraw();
        }

        private void Down(Member member)
        {
            host.Say(LogEvent.MemberChanged, "Unreachable", "Lost", $"{Name(member)} is not reached from the writer");
            cluster.Down(member.Address);
            unreachable.Remove(member.UniqueAddress);
        }

        private sealed class TickNow
        {
            public static TickNow Instance { get; } = new();
        }
    }
}
