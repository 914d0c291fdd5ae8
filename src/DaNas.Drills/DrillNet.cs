using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using DaNas.Runtime.Configuration;

namespace DaNas.Drills;

/// <summary>
/// Machines on one machine: a network namespace each, joined by a bridge. A link is cut by a route that leads nowhere, in one direction or
/// in both. Needs root; everything is taken down when it is disposed.
/// </summary>
internal sealed class DrillNet : IDisposable
{
    private const string Gateway = "10.77.0.1";

    private readonly string prefix = $"dn{Environment.ProcessId % 10000}";
    private readonly List<string> spaces = [];
    private readonly Dictionary<string, string> addresses = new(StringComparer.Ordinal);
    private readonly HashSet<(string From, string To)> cut = [];

    private DrillNet()
    {
    }

    /// <summary>The machine that the data base and the drill itself are on.</summary>
    public const string Home = "home";

    /// <summary>Why namespaces cannot be used here; null where they can.</summary>
    public static string? Unavailable => Environment.UserName != "root" ? "network namespaces need root"
        : !File.Exists("/usr/sbin/ip") && !File.Exists("/sbin/ip") ? "network namespaces need the tool 'ip' (apt install iproute2)"
        : Run("ip", "ip netns add danas-probe && ip netns del danas-probe") ? null : "network namespaces are not allowed here";

    public static DrillNet Build(IEnumerable<string> machines)
    {
        DrillNet net = new();
        net.addresses[Home] = Gateway;
        Must($"ip link add {net.prefix} type bridge && ip addr add {Gateway}/24 dev {net.prefix} && ip link set {net.prefix} up");
        int number = 2;
        foreach (string machine in machines)
        {
            string space = $"{net.prefix}-{machine}";
            string address = Invariant($"10.77.0.{number++}");
            net.spaces.Add(space);
            net.addresses[machine] = address;
            Must($"ip netns add {space} && ip link add {space} type veth peer name eth0 netns {space} && ip link set {space} master " +
                $"{net.prefix} up && ip -n {space} addr add {address}/24 dev eth0 && ip -n {space} link set eth0 up && ip -n " +
                $"{space} link set lo up");
        }

        return net;
    }

    public string AddressOf(string machine) => addresses[machine];

    /// <summary>What to put before a command so that it runs on a machine.</summary>
    public string[] On(string machine) => ["ip", "netns", "exec", $"{prefix}-{machine}"];

    /// <summary>Nothing that one machine sends reaches the other any more; the other direction stays.</summary>
    public void Cut(string from, string to)
    {
        if (cut.Add((from, to)))
            Must(from == Home ? $"ip route add blackhole {addresses[to]}/32"
                : $"ip -n {prefix}-{from} route add blackhole {addresses[to]}/32");
    }

    public void CutBoth(string a, string b)
    {
        Cut(a, b);
        Cut(b, a);
    }

    /// <summary>From everybody.</summary>
    public void CutOff(string machine)
    {
        foreach (string other in addresses.Keys.Where(a => a != machine))
            CutBoth(machine, other);
    }

    public void Heal()
    {
        foreach ((string from, string to) in cut)
            Must(from == Home ? $"ip route del blackhole {addresses[to]}/32"
                : $"ip -n {prefix}-{from} route del blackhole {addresses[to]}/32");
        cut.Clear();
    }

    public void Dispose()
    {
        Heal();
        foreach (string space in spaces)
            Run("ip", $"ip netns del {space}; ip link del {space}");
        Run("ip", $"ip link del {prefix}");
    }

    private static void Must(string script)
    {
        if (!Run("ip", script))
            throw new UsageException($"'{script}' failed");
    }

    private static bool Run(string what, string script)
    {
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", script])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true
        }) ?? throw new UsageException($"'{what}' cannot be started");
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

/// <summary>
/// A bad line between nodes on loopback: every piece of data is delayed, and a share of them three times as long, as a lost packet that is
/// sent again would be.
/// </summary>
internal sealed class DelayProxy : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly int target;
    private readonly CancellationTokenSource ending = new();
    private readonly ConcurrentBag<Task> pipes = [];
    private readonly Random random;

    public DelayProxy(int target, int seed)
    {
        this.target = target;
        random = new Random(seed);
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>One way.</summary>
    public TimeSpan Delay { get; set; }

    public double Loss { get; set; }

    public void Dispose()
    {
        ending.Cancel();
        listener.Dispose();
        ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient near = await listener.AcceptTcpClientAsync(ending.Token);
                pipes.Add(PipeAsync(near));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The drill is over.
        }
    }

    private async Task PipeAsync(TcpClient near)
    {
        using (near)
        using (TcpClient far = new())
        {
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, target, ending.Token);
                near.NoDelay = far.NoDelay = true;
                await Task.WhenAny(CarryAsync(near, far), CarryAsync(far, near));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or IOException)
            {
                // Hung up, like a line does.
            }
        }
    }

    /// <summary>Pieces leave in order, each when its delay is over; reading goes on meanwhile.</summary>
    private async Task CarryAsync(TcpClient from, TcpClient to)
    {
        System.Threading.Channels.Channel<(byte[] Bytes, long Due)> line =
            System.Threading.Channels.Channel.CreateBounded<(byte[], long)>(1000);
        Task sending = SendAsync();
        byte[] buffer = new byte[64 * 1024];
        try
        {
            for (int read; (read = await from.GetStream().ReadAsync(buffer, ending.Token)) > 0;)
            {
                TimeSpan delay = Delay;
                lock (random)
                    delay = random.NextDouble() < Loss ? 3 * delay : delay;
                await line.Writer.WriteAsync((buffer[..read], Environment.TickCount64 + (long)delay.TotalMilliseconds), ending.Token);
            }
        }
        finally
        {
            line.Writer.TryComplete();
            await sending;
        }

        async Task SendAsync()
        {
            await foreach ((byte[] bytes, long due) in line.Reader.ReadAllAsync(ending.Token))
            {
                long wait = due - Environment.TickCount64;
                if (wait > 0)
                    await Task.Delay((int)wait, ending.Token);
                await to.GetStream().WriteAsync(bytes, ending.Token);
            }
        }
    }
}
