using DaNas.Actors;
using DaNas.Actors.Embedded;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Cli.Configuration;

namespace DaNas.Cli.Running;

/// <summary>What runs the actors.</summary>
internal enum HostKind
{
    Embedded,
    Akka,
}

/// <summary>The hosts of this build, and which one a command takes: --host, else DANAS_HOST, else Akka.NET where it is built in.</summary>
internal static class Hosts
{
    public static bool HasAkka
    {
        get
        {
            return true;
        }
    }

    /// <summary>Throws <see cref="UsageException"/> for a host that is none, or is not in this build.</summary>
    public static HostKind Choose(string? asked)
    {
        string source = asked is null ? "DANAS_HOST" : "--host";
        asked ??= Environment.GetEnvironmentVariable("DANAS_HOST") is { Length: > 0 } variable ? variable : null;
        return asked switch
        {
            null => HasAkka ? HostKind.Akka : HostKind.Embedded,
            "embedded" => HostKind.Embedded,
            "akka" when HasAkka => HostKind.Akka,
            "akka" => throw new UsageException($"{source} akka: Akka.NET is not in this build, since its packages did not restore here; where they do, scripts/bootstrap.sh chooses it (docs/packages.md). The embedded host gives the same results"),
            _ => throw new UsageException($"{source} {asked}: write akka or embedded"),
        };
    }

    /// <summary>A host over a journal that this process has opened for writing.</summary>
    public static async Task<IActorHost> OpenAsync(HostKind kind, IEventJournal journal, IStateLog log)
    {
        if (kind == HostKind.Akka)
        {
            IFencedTables tables = (IFencedTables)journal;
            await tables.FenceAsync();
            return new Actors.Akka.AkkaHost(Hocon("reference", $"environments/{tables.Kind}"), tables, log);
        }
        await Task.CompletedTask;
        return new EmbeddedHost(new HostOptions(), journal, log, TimeProvider.System);
    }

    /// <summary>Layers of hocon/akka, the first one lowest.</summary>
    public static string Hocon(params string[] layers) => string.Join('\n', layers.Select(l => File.ReadAllText(Path.Combine(ConfigLoader.Home, "akka", $"{l}.conf"))));
}
