using System.Globalization;
using Npgsql;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>
/// An address of a data base: Npgsql's <c>Host=db;Database=danas</c>, or a URI as libpq reads it (PostgreSQL's manual, 34.1.1.2), with
/// libpq's parameters. No host: PGHOST, else the usual local socket where it is, else localhost.
/// </summary>
public static class PostgresAddress
{
    private const string Sockets = "/var/run/postgresql";

    /// <summary>libpq's parameters by Npgsql's names.</summary>
    private static readonly Dictionary<string, string> Parameters = new(StringComparer.Ordinal)
    {
        ["host"] = "Host",
        ["hostaddr"] = "Host",
        ["port"] = "Port",
        ["dbname"] = "Database",
        ["user"] = "Username",
        ["password"] = "Password",
        ["passfile"] = "Passfile",
        ["sslmode"] = "SSL Mode",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["sslrootcert"] = "Root Certificate",
        ["channel_binding"] = "Channel Binding",
        ["application_name"] = "Application Name",
        ["options"] = "Options",
        ["client_encoding"] = "Client Encoding",
        ["krbsrvname"] = "Kerberos Service Name",
    };

    /// <summary>What libpq knows and a journal has no use for: it tunes sockets itself.</summary>
    private static readonly string[] Ignored = ["keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
        "tcp_user_timeout", "connect_timeout", "fallback_application_name"];

    /// <summary>Throws <see cref="ArgumentException"/> with what cannot be read.</summary>
    public static NpgsqlConnectionStringBuilder Parse(string address)
    {
        if (string.IsNullOrWhiteSpace(address))
            throw new ArgumentException("it is blank");
        NpgsqlConnectionStringBuilder result = address.Contains("://", StringComparison.Ordinal)
            ? FromUri(address) : new NpgsqlConnectionStringBuilder(address);
        if (!result.ShouldSerialize("Port") && int.TryParse(
            Environment.GetEnvironmentVariable("PGPORT"), CultureInfo.InvariantCulture, out int port))
            result.Port = port;
        if (string.IsNullOrEmpty(result.Host))
            result.Host = Environment.GetEnvironmentVariable("PGHOST") is { Length: > 0 } named
                ? named : File.Exists(Invariant($"{Sockets}/.s.PGSQL.{result.Port}")) ? Sockets : "localhost";
        if (result.Host.Contains(',', StringComparison.Ordinal))
            throw new ArgumentException($"it lists several hosts ({result.Host}), but a journal has one writer on one server: specify " +
                $"the primary, or a name that resolves to it");
        if (result.Passfile is { Length: > 0 } file && !File.Exists(file))
            throw new ArgumentException($"the password file {file} is missing");
        if (result.Password is null or "" && result.Passfile is null or "" && Environment.GetEnvironmentVariable("PGPASSWORD") is null or ""
            && Environment.GetEnvironmentVariable("PGPASSFILE") is { Length: > 0 } passfile && !File.Exists(passfile))
            throw new ArgumentException($"PGPASSFILE names {passfile}, which is missing");
        return result;
    }

    /// <summary>Whether the host is a folder of Unix sockets.</summary>
    public static bool OnSocket(NpgsqlConnectionStringBuilder settings) => settings.Host is ['/' or '@', ..];

    /// <summary>
    /// scheme://[user[:password]@][host][:port][,...][/database][?parameter=value&amp;...], everything percent-encoded where it must be.
    /// </summary>
    private static NpgsqlConnectionStringBuilder FromUri(string address)
    {
        int scheme = address.IndexOf("://", StringComparison.Ordinal);
        if (address[..scheme] is not ("postgres" or "postgresql"))
            throw new ArgumentException($"'{address[..scheme]}' is not postgres");
        string rest = address[(scheme + 3)..];
        string query = Cut(ref rest, '?');
        string database = Cut(ref rest, '/');
        int at = rest.LastIndexOf('@');
        string[] user = at < 0 ? [] : rest[..at].Split(':', 2);
        NpgsqlConnectionStringBuilder result = new();
        string[] hosts = rest[(at + 1)..].Split(',');
        if (hosts.Length > 1)
            result.Host = Unescape(string.Join(',', hosts));
        else
            Place(result, hosts[0]);
        if (database.Length > 0)
            result.Database = Unescape(database);
        if (user.Length > 0 && user[0].Length > 0)
            result.Username = Unescape(user[0]);
        if (user.Length > 1)
            result.Password = Unescape(user[1]);
        foreach (string pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split('=', 2);
            Set(result, Unescape(parts[0]), parts.Length > 1
                ? Unescape(parts[1]) : throw new ArgumentException($"the parameter '{pair}' has no value"));
        }

        return result;
    }

    private static string Unescape(string text) => Uri.UnescapeDataString(text);

    /// <summary>What follows the first such character, which goes with it.</summary>
    private static string Cut(ref string text, char at)
    {
        int i = text.IndexOf(at, StringComparison.Ordinal);
        string after = i < 0 ? string.Empty : text[(i + 1)..];
        text = i < 0 ? text : text[..i];
        return after;
    }

    private static void Place(NpgsqlConnectionStringBuilder result, string host)
    {
        int colon = host.StartsWith('[') ? host.IndexOf("]:", StringComparison.Ordinal) + 1 : host.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 || host.StartsWith(':'))
        {
            string port = host[(colon + 1)..];
            if (port.Length > 0)
                result.Port = int.TryParse(port, CultureInfo.InvariantCulture, out int number) && number is > 0 and < 65_536
                    ? number : throw new ArgumentException($"'{port}' is not a valid port");
            host = host[..colon];
        }

        if (host.Length > 0)
            result.Host = Unescape(host.Trim('[', ']'));
    }

    private static void Set(NpgsqlConnectionStringBuilder result, string name, string value)
    {
        if (Ignored.Contains(name, StringComparer.Ordinal) || (name == "target_session_attrs"
            && value is "any" or "read-write" or "primary") || (name == "gssencmode" && value is "disable" or "prefer"))
            return;
        if (name == "hostaddr" && !string.IsNullOrEmpty(result.Host))
            return; // The name is what a certificate is checked against.
        bool known = Parameters.TryGetValue(name, out string? key) || result.ContainsKey(name);
        try
        {
            // libpq's verify-full is Npgsql's VerifyFull.
            result[key ?? name] = key is "SSL Mode" ? value.Replace("-", string.Empty, StringComparison.Ordinal) : value;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new ArgumentException(known ? $"'{name}' cannot be '{value}'"
                : $"unknown parameter '{name}'; supported parameters are {string.Join(", ", Parameters.Keys)}", e);
        }
    }
}
