using System.Net;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Cli.Configuration;
using DaNas.Cli.Running;

namespace DaNas.Cli.Nodes;

/// <summary>What a process of a cluster is: its name and roles, where it listens, whom it joins, what it shares with the others.</summary>
internal sealed record NodeSettings(string Name, string Cluster, IPEndPoint Listen, string Advertise, IReadOnlyList<string> Join, LinkSecret Secret, OutputFolder Folder)
{
    public const string Coordinator = "coordinator";
    public const string Trainer = "trainer";
    public const string Projector = "projector";

    public IReadOnlyList<string> Roles { get; init; } = [];

    public PostgresServer? Journal { get; init; }

    /// <summary>What runs the actors; the same on all nodes of a cluster.</summary>
    public HostKind Host { get; init; }

    /// <summary>Trainer processes on this machine.</summary>
    public int Trainers { get; init; } = 1;

    /// <summary>CUDA devices for the trainers, one each; empty: what the configuration says.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Throws <see cref="UsageException"/> for what cannot work, or would be open to anybody.</summary>
    public NodeSettings Checked()
    {
        if (Roles.Count == 0 || Roles.FirstOrDefault(r => r is not (Coordinator or Trainer or Projector)) is not null)
            throw new UsageException($"--roles {string.Join(',', Roles)}: name '{Coordinator}', '{Trainer}', '{Projector}' or several, separated by commas");
        if ((Roles.Contains(Coordinator) || Roles.Contains(Projector)) && Journal is null)
            throw new UsageException("coordinators and projectors need the cluster's journal: DANAS_JOURNAL=postgres://danas@db/danas (the password in PGPASSWORD or a PGPASSFILE); scripts/postgres.sh starts one for trying out");
        if (Roles.Contains(Trainer) && !Roles.Contains(Coordinator) && Join.Count == 0)
            throw new UsageException("a trainer without the role 'coordinator' needs --join HOST:PORT of one that has it");
        if (Name.Length is 0 or > 60 || Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            throw new UsageException($"--name {Name}: use letters, digits, '-', '_' and '.', at most 60");
        if (Secret.IsNone && (!IPAddress.IsLoopback(Listen.Address) || Join.Any(j => !IsLoopback(j)) || !IsLoopback(new Uri(Advertise).Authority)))
            throw new UsageException("a cluster that can be reached from other machines needs a secret: --secret-file FILE or DANAS_SECRET_FILE, the same on every node; only on loopback it may be left out");
        if (Devices.Distinct().Count() < Devices.Count)
            throw new UsageException($"--devices {string.Join(',', Devices)}: each device once; two trainers on one device only slow each other down");
        if (Trainers is < 1 or > 64)
            throw new UsageException($"--trainers {Trainers}: 1 to 64");
        return this;
    }

    public static bool IsLoopback(string hostAndPort)
    {
        string host = new Uri($"http://{hostAndPort}").Host.Trim('[', ']');
        return host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
    }

    /// <summary>HOST:PORT, checked.</summary>
    public static string HostAndPort(string text, string option) => Uri.TryCreate($"http://{text}", UriKind.Absolute, out Uri? uri) && text.Contains(':', StringComparison.Ordinal) && uri.AbsolutePath == "/" && uri.Port > 0
        ? uri.Authority
        : throw new UsageException($"{option} {text}: write HOST:PORT");

    /// <summary>Where blobs of a search lie here; null for a name that is none.</summary>
    public string? BlobFolderOf(string search) => Actors.Cluster.SearchNames.AreProper(search) ? Folder.BlobFolder(search) : null;

    public string Prove(string search, string digest) => Secret.Proof("blob", search, digest);
}
