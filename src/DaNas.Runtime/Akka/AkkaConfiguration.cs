using System.Net.Security;
using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Cluster.Hosting.SBR;
using Akka.Configuration;
using Akka.Hosting;
using Akka.Hosting.Coordination;
using Akka.Remote.Hosting;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Setup = Akka.Actor.Setup.Setup;

namespace DaNas.Runtime.Akka;

/// <summary>
/// The whole composition of the actor system on one page: journal, serializers, remoting, cluster, singleton, leases. HOCON (hocon/akka)
/// has timings only.
/// </summary>
internal static class AkkaConfiguration
{
    public const string SystemName = "danas";

    /// <summary>One machine: local actors. A node: remoting too. A coordinator: a member of the cluster too.</summary>
    public static IHost Build(AkkaHost host, string timings, IFencedTables? journal, AkkaNode? node)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLogging(l => l.ClearProviders().AddProvider(new StateLogProvider(host.Log)).SetMinimumLevel(LogLevel.Warning));
        builder.Services.AddAkka(SystemName, (akka, _) =>
        {
            akka.AddHocon(ConfigurationFactory.ParseString(timings), HoconAddMode.Append)
                .ConfigureLoggers(l => l.ClearLoggers().AddLoggerFactory())
                .AddSetup(new AkkaHost.HostSetup(host))
                .AddSetup(new StateLogSetup(host.Log))
                .WithActors((system, _) => host.Attach((ExtendedActorSystem)system));
            Serialize(akka);
            if (journal is not null)
                Persist(akka, journal.Kind, journal.ConnectionString);
            else if (node?.JournalConnection is { } connection)
                Persist(akka, "postgresql", connection);
            if (node is not null)
                Remote(akka, node);
            if (node is { Leases: { } leases, Term: { } term })
                Lead(akka, host, leases, term);
        });
        return builder.Build();
    }

    /// <summary>What leaves this process, or enters a journal, is of the wire format; everything else is refused.</summary>
    private static void Serialize(AkkaConfigurationBuilder akka) => akka
        .WithCustomSerializer("danas-wire", WireFormat.AllManifests.Select(WireFormat.TypeOf), system => new WireSerializer(system))
        .WithCustomSerializer("danas-events", [typeof(SealedEvent)], system => new EventSerializer(system))
        .AddHocon(
            $$"""
            akka.actor.guardian-supervisor-strategy = "{{NameOf(typeof(SaidRestarts))}}"
            akka.stdout-loglevel = OFF
            akka.actor.serialization-bindings { "System.Object" = danas-refuse }
            akka.actor.serializers.danas-refuse = "{{NameOf(typeof(RefusingSerializer))}}"
            akka.actor.serializers.json = "{{NameOf(typeof(NoJson))}}"
            akka.actor.serializers.daemon-create = "{{NameOf(typeof(NoDeployment))}}"
            akka.actor.default-mailbox.mailbox-type = "{{NameOf(typeof(CountingMailbox))}}"
            akka.actor.mailbox.unbounded-deque-based.mailbox-type = "{{NameOf(typeof(CountingMailbox))}}"
            """, HoconAddMode.Prepend);

    /// <summary>Akka.Persistence.Sql by HOCON: Akka.Persistence.Sql.Hosting 1.5.70 does not load beside linq2db 6.</summary>
    private static void Persist(AkkaConfigurationBuilder akka, string kind, string connection) => akka.AddHocon(
        $$"""
        akka.persistence.journal.sql.provider-name = "{{(kind == "sqlite" ? "SQLite.MS" : "PostgreSQL.15")}}"
        akka.persistence.journal.sql.connection-string = {{Quote(connection)}}
        """, HoconAddMode.Prepend);

    private static void Remote(AkkaConfigurationBuilder akka, AkkaNode node)
    {
        RemoteOptions options = new()
        {
            HostName = node.Listen,
            Port = node.Port,
            PublicHostName = node.Host,
            PublicPort = node.PublicPort,
            EnableSsl = node.Certificate is not null
        };
        if (node.Certificate is { } certificate)
        {
            options.Ssl = new SslOptions
            {
                X509Certificate = certificate,
                SuppressValidation = false,
                RequireMutualAuthentication = true,
                CustomValidator = (shown, _, _, errors, _) => shown is not null
                    && (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0 && node.Refuses?.Invoke(shown) is null,
            };
        }

        akka.WithRemoting(options);
    }

    /// <summary>
    /// Coordinators are the only members. One lease implementation, two leases: the resolver's, and the singleton manager's own.
    /// </summary>
    private static void Lead(AkkaConfigurationBuilder akka, AkkaHost host, LeaseStore leases, ITerm term)
    {
        LeaseOption lease = new();
        akka.AddSetup(leases)
            .WithActors((system, _) => system.ActorOf(Props.Create(() => new WarmUpActor()), "warm-up"))
            .WithActors((system, _) => system.ActorOf(Props.Create(() => new MembersActor()), "members"))
            .AddHocon($"{lease.ConfigPath}.lease-class = \"{NameOf(lease.Class)}\"", HoconAddMode.Prepend)
            .WithClustering(new ClusterOptions
            {
                Roles = [AkkaNode.Coordinator],
                SplitBrainResolver =
                new LeaseMajorityOption { Role = AkkaNode.Coordinator, LeaseImplementation = lease, LeaseName = "split-brain" }
            })
            .WithSingleton<LeaderKey>("leader", Props.Create(() => new LeaderActor(host, term)), new ClusterSingletonOptions
            {
                Role =
                AkkaNode.Coordinator,
                TerminationMessage = LeaderActor.HandOver.Instance,
                LeaseImplementation = lease
            }, false);
    }

    private static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string NameOf(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";

    /// <summary>Under which the singleton is registered.</summary>
    private sealed class LeaderKey;

    private sealed class LeaseOption : LeaseOptionBase
    {
        public override string ConfigPath => "danas.lease";

        public override Type Class => typeof(PostgresLease);

        public override void Apply(AkkaConfigurationBuilder builder, Setup? setup = null)
        {
            // Its class stands beside its timings, under ConfigPath.
        }
    }
}
