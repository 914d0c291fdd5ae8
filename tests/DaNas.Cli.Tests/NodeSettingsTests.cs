using System.Net;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Tests;

/// <summary>A node that would be open to anybody, or could not work, does not start.</summary>
public sealed class NodeSettingsTests
{
    private static readonly NodeAddress Here = new("127.0.0.1", 7411, 8411);

    private static NodeSettings Loopback => new("n", "c", new IPEndPoint(IPAddress.Loopback, 7411), new IPEndPoint(IPAddress.Loopback,
        8411), Here, new OutputFolder(Path.GetTempPath()))
    { Roles = [NodeSettings.Trainer], Join = [new("127.0.0.1", 7410, 8410)] };

    [Fact]
    public void A_cluster_that_others_can_reach_needs_certificates()
    {
        Loopback.Checked().Name.ShouldBe("n");
        Refused(Loopback with { Listen = new IPEndPoint(IPAddress.Any, 7411) }, "danas certificates init");
        Refused(Loopback with { Http = new IPEndPoint(IPAddress.Any, 8411) }, "--certificates");
        Refused(Loopback with { Join = [new("db.example", 7411, 8411)] }, "--certificates");
        Refused(Loopback with { Advertise = new("node.example", 7411, 8411) }, "--certificates");
    }

    [Fact]
    public void What_cannot_work_is_refused_with_the_remedy()
    {
        Refused(Loopback with { Roles = [NodeSettings.Coordinator] }, "DANAS_JOURNAL");
        Refused(Loopback with { Join = [] }, "--join");
        Refused(Loopback with { Roles = ["trainer", "cook"] }, "cook");
        Refused(Loopback with { Roles = [NodeSettings.Projector], Join = [] }, "DANAS_JOURNAL");
        Refused(Loopback with { Devices = ["0", "1", "0"] }, "each device only once");
        Refused(Loopback with { Name = "two words" }, "--name two words");
        Refused(Loopback with { Cluster = "a/b" }, "--cluster-name a/b");
    }

    [Theory]
    [InlineData("db.example:7411", 7411, 8411)]
    [InlineData("db.example:7411/9000", 7411, 9000)]
    public void An_address_names_both_ports(string text, int port, int http)
    {
        NodeAddress address = NodeAddress.Parse(text, "--join");
        (address.Host, address.Port, address.HttpPort).ShouldBe(("db.example", port, http));
        address.ToString().ShouldBe(text);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("host")]
    [InlineData("host:7411/x")]
    [InlineData("host:7411/0")]
    [InlineData("host:65000")]
    public void What_is_no_address_is_refused(string text) =>
        Should.Throw<UsageException>(() => NodeAddress.Parse(text, "--join")).Message.ShouldContain($"--join {text}");

    private static void Refused(NodeSettings settings, string said) =>
        Should.Throw<UsageException>(settings.Checked).Message.ShouldContain(said);
}
