using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>certificates: the authority of a cluster, and what it issues.</summary>
internal static class CertificateVerbs
{
    public static Command All() => new("certificates", "The certificates of a cluster: an authority of its own, and one certificate a node.") { Init(), Issue(), Renew(), Revoke() };

    private static Command Init()
    {
        Argument<string> folder = Folder();
        Option<string> name = new("--name") { DefaultValueFactory = _ => "danas", Description = "What the authority is called." };
        Option<int> days = new("--days") { DefaultValueFactory = _ => 3650, Description = "How long it is valid." };
        Command command = new("init", "Makes an authority; its folder stays with the operator, never on a node.") { folder, name, days };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string at = parsed.GetValue(folder)!;
            using CertificateAuthority authority = CertificateAuthority.Create(at, parsed.GetValue(name)!, parsed.GetValue(days));
            Output.PrintText($"authority in {at}; keep authority.key to yourself. A node's folder: danas certificates issue {at} NAME --host HOST");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Issue()
    {
        Argument<string> folder = Folder();
        Argument<string> name = Name();
        Option<string[]> hosts = new("--host") { Description = "A name or address under which others reach the node; may be repeated. Loopback is always there.", AllowMultipleArgumentsPerToken = true };
        Option<string?> to = new("--to") { Description = "The folder to write (default: NAME beside the authority's)." };
        Option<int> days = Days();
        Command command = new("issue", "Makes the folder of a node or of an operator, for --certificates.") { folder, name, hosts, to, days };
        command.SetAction(parsed => Shared.Guard(() => Write(parsed.GetValue(folder)!, parsed.GetValue(name)!, parsed.GetValue(hosts) ?? [], parsed.GetValue(to), parsed.GetValue(days))));
        return command;
    }

    private static Command Renew()
    {
        Argument<string> folder = Folder();
        Argument<string> name = Name();
        Option<string?> to = new("--to") { Description = "The folder to write (default: NAME beside the authority's)." };
        Option<int> days = Days();
        Command command = new("renew", "Makes a new certificate for the same names. Node after node: drain it, replace its folder, start it again, activate it.") { folder, name, to, days };
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
        Command command = new("revoke", "Puts all certificates of a name on the authority's signed list.") { folder, name };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            using CertificateAuthority authority = CertificateAuthority.Open(parsed.GetValue(folder)!);
            string list = authority.Revoke(parsed.GetValue(name)!);
            Output.PrintText($"{parsed.GetValue(name)} is revoked; copy {list} into the certificates folder of every node: they read it within 10 s");
            return ExitCode.Done;
        }));
        return command;
    }

    private static int Write(string folder, string name, IReadOnlyList<string> hosts, string? to, int days)
    {
        if (name.Length is 0 or > 60 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            throw new UsageException($"{name}: use letters, digits, '-', '_' and '.', at most 60");
        if (days is < 1 or > 36500)
            throw new UsageException($"--days {days}: 1 to 36500");
        string target = to ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(folder))!, name);
        using CertificateAuthority authority = CertificateAuthority.Open(folder);
        authority.Issue(name, hosts, target, days);
        Output.PrintText($"{name}'s certificate is in {target}; bring that folder to its machine and start it with --certificates {target}");
        return ExitCode.Done;
    }

    private static Argument<string> Folder() => new("DIR") { Description = "The authority's folder." };

    private static Argument<string> Name() => new("NAME") { Description = "The node's name, or an operator's." };

    private static Option<int> Days() => new("--days") { DefaultValueFactory = _ => 365, Description = "How long it is valid." };
}
