using System.Net;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Journal.Postgres;
using DaNas.Runtime.Searches;

namespace DaNas.Runtime.Cluster;

/// <summary>What a process of a cluster is: its name and roles, where it listens and is reached, whom it joins, its certificates.</summary>
internal sealed record NodeSettings(string Name, string Cluster, IPEndPoint Listen, IPEndPoint Http,
    NodeAddress Advertise, OutputFolder Folder)
{
    public const string Coordinator = "coordinator";
    public const string Trainer = "trainer";
    public const string Projector = "projector";

    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>Coordinators that a trainer asks who leads.</summary>
    public IReadOnlyList<NodeAddress> Join { get; init; } = [];

    /// <summary>Null on loopback only.</summary>
    public Certificates? Certificates { get; init; }

    public PostgresServer? Journal { get; init; }

    /// <summary>Trainer processes on this machine.</summary>
    public int Trainers { get; init; } = 1;

    /// <summary>CUDA devices for the trainers, one each; empty: what the configuration says.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Where others fetch blobs from, and ask.</summary>
    public string Url => Advertise.Url(Certificates is not null);

    public bool Coordinates => Roles.Contains(Coordinator);

    /// <summary>Throws <see cref="UsageException"/> for what cannot work, or would be open to anybody.</summary>
    public NodeSettings Checked()
    {
        if (Roles.Count == 0 || Roles.FirstOrDefault(r => r is not (Coordinator or Trainer or Projector)) is not null)
            throw new UsageException($"--roles {string.Join(',', Roles)}: use '{Coordinator}', '{Trainer}', '{Projector}' or " +
                $"several, separated by commas");
        if ((Coordinates || Roles.Contains(Projector)) && Journal is null)
            throw new UsageException("coordinators and projectors need the cluster's journal: DANAS_JOURNAL=postgres://danas@db/danas " +
                "(put the password in PGPASSWORD or in the file specified by PGPASSFILE); scripts/postgres.sh starts a server for testing");
        if (Roles.Contains(Trainer) && !Coordinates && Join.Count == 0)
            throw new UsageException("a trainer without the role 'coordinator' needs --join HOST:PORT of a coordinator");
        if (!IsName(Name))
            throw new UsageException($"--name {Name}: use letters, digits, '-', '_' and '.', at most 60 characters");
        if (!IsName(Cluster))
            throw new UsageException($"--cluster-name {Cluster}: use letters, digits, '-', '_' and '.', at most 60 characters");
        if (Certificates is null && (!IPAddress.IsLoopback(Listen.Address) || !IPAddress.IsLoopback(Http.Address) || !Advertise.IsLoopback
            || Join.Any(j => !j.IsLoopback)))
            throw new UsageException("a cluster that can be reached from other machines needs certificates: 'danas certificates init " +
                "authority', 'danas certificates issue authority NAME --host HOST', then --certificates NAME (or DANAS_CERTIFICATES); " +
                "certificates can be omitted only on loopback");
        if (Devices.Distinct().Count() < Devices.Count)
            throw new UsageException($"--devices {string.Join(',', Devices)}: specify each device only once; two trainers on one device " +
                $"only slow each other down");
        if (Trainers is < 1 or > 64)
            throw new UsageException($"--trainers {Trainers}: 1 to 64");
        return this;
    }

    /// <summary>Where blobs of a search lie here; null for a name that is none.</summary>
    public string? BlobFolderOf(string search) => Domain.Searches.SearchNames.AreProper(search) ? Folder.BlobFolder(search) : null;

    private static bool IsName(string name) => name.Length is > 0 and <= 60
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
