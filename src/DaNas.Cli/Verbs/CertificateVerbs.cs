using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;

namespace DaNas.Cli.Verbs;

/// <summary>certificates: the authority of a cluster, and what it issues.</summary>
internal static class CertificateVerbs
{
    public static Command All() => new("certificates", "Manages the certificates of a cluster: its own certificate authority and one " +
        "certificate per node.") { Init(), Issue(), Renew(), Revoke() };

    private static Command Init()
    {
        Argument<string> folder = Folder();
        Option<string> name = Shared.Option("--name", "danas", "Name of the authority.");
        Option<int> days = Shared.Option("--days", 3650, "Validity in days.");
        Command command =
            new("init", "Creates a certificate authority; keep its folder with the operator, never on a node.") { folder, name, days };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string at = parsed.GetValue(folder)!;
            using CertificateAuthority authority = CertificateAuthority.Create(at, parsed.GetValue(name)!, parsed.GetValue(days));
            Output.PrintText($"authority created in {at}; keep authority.key private. To create the folder of a node: danas certificates " +
                $"issue {at} NAME --host HOST");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Issue()
    {
        Argument<string> folder = Folder();
        Argument<string> name = Name();
        Option<string[]> hosts = new("--host")
        {
            Description = "Host name or address at which others reach the node; can be repeated. " +
            "Loopback is always included.",
            AllowMultipleArgumentsPerToken = true
        };
        Option<string?> to = Shared.Option<string?>("--to", "Output folder (default: NAME, next to the folder of the authority).");
        Option<int> days = Days();
        Command command =
            new("issue", "Creates the certificate folder of a node or an operator, for use " +
                "with --certificates.") { folder, name, hosts, to, days };
        command.SetAction(parsed => Shared.Guard(() => Write(
            parsed.GetValue(folder)!, parsed.GetValue(name)!, parsed.GetValue(hosts) ?? [], parsed.GetValue(to), parsed.GetValue(days))));
        return command;
    }

    private static Command Renew()
    {
        Argument<string> folder = Folder();
        Argument<string> name = Name();
        Option<string?> to = Shared.Option<string?>("--to", "Output folder (default: NAME, next to the folder of the authority).");
        Option<int> days = Days();
        Command command =
            new("renew", "Creates a new certificate for the same host names. For each node in turn: drain it, replace its folder, " +
                "restart it and activate it.") { folder, name, to, days };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string at = parsed.GetValue(folder)!;
            IReadOnlyList<string> hosts;
            using (CertificateAuthority authority = CertificateAuthority.Open(at))
                hosts = authority.HostsOf(parsed.GetValue(name)!);
            return Write(at, parsed.GetValue(name)!, hosts, parsed.GetValue(to), parsed.GetValue(days));
        }));
        return command;
    }

    private static Command Revoke()
    {
        Argument<string> folder = Folder();
        Argument<string> name = Name();
        Command command =
            new("revoke", "Revokes all certificates of a name by adding them to the authority's signed revocation list.") { folder, name };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            using CertificateAuthority authority = CertificateAuthority.Open(parsed.GetValue(folder)!);
            string list = authority.Revoke(parsed.GetValue(name)!);
            Output.PrintText($"{parsed.GetValue(name)} is revoked; copy {list} into the certificate folder of every node; " +
                $"nodes read it within 10 s");
            return ExitCode.Done;
        }));
        return command;
    }

    private static int Write(string folder, string name, IReadOnlyList<string> hosts, string? to, int days)
    {
        if (name.Length is 0 or > 60 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            throw new UsageException($"{name}: use letters, digits, '-', '_' and '.', at most 60 characters");
        if (days is < 1 or > 36500)
            throw new UsageException($"--days {days}: must be from 1 to 36500");
        string target = to ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(folder))!, name);
        using CertificateAuthority authority = CertificateAuthority.Open(folder);
        authority.Issue(name, hosts, target, days);
        Output.PrintText($"{name}'s certificate is in {target}; copy that folder to its machine and start the node with " +
            $"--certificates {target}");
        return ExitCode.Done;
    }

    private static Argument<string> Folder() => new("DIR") { Description = "The authority's folder." };

    private static Argument<string> Name() => new("NAME") { Description = "Name of the node or operator." };

    private static Option<int> Days() => new("--days") { DefaultValueFactory = _ => 365, Description = "Validity in days." };
}
