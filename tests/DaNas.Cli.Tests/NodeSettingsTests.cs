using System.Net;
using DaNas.Actors.Embedded.Links;
using DaNas.Cli.Configuration;
using DaNas.Cli.Nodes;

namespace DaNas.Cli.Tests;

/// <summary>A node that would be open to anybody, or could not work, does not start.</summary>
public sealed class NodeSettingsTests
{
    [Fact]
    public void A_cluster_that_others_can_reach_needs_a_secret_that_others_cannot_read()
    {
        NodeSettings loopback = new("n", "c", new IPEndPoint(IPAddress.Loopback, 7411), "http://127.0.0.1:7411", ["127.0.0.1:7410"], LinkSecret.None, new Running.OutputFolder(Path.GetTempPath())) { Roles = [NodeSettings.Trainer] };
        loopback.Checked().ShouldBe(loopback);
        Should.Throw<UsageException>(() => (loopback with { Listen = new IPEndPoint(IPAddress.Any, 7411) }).Checked()).Message.ShouldContain("--secret-file");
        Should.Throw<UsageException>(() => (loopback with { Join = ["db.example:7411"] }).Checked()).Message.ShouldContain("--secret-file");
        Should.Throw<UsageException>(() => (loopback with { Roles = [NodeSettings.Coordinator] }).Checked()).Message.ShouldContain("DANAS_JOURNAL");
        Should.Throw<UsageException>(() => (loopback with { Join = [] }).Checked()).Message.ShouldContain("--join");
        Should.Throw<UsageException>(() => (loopback with { Roles = ["trainer", "cook"] }).Checked()).Message.ShouldContain("cook");
        Should.Throw<UsageException>(() => (loopback with { Roles = [NodeSettings.Projector], Join = [] }).Checked()).Message.ShouldContain("DANAS_JOURNAL");
        Should.Throw<UsageException>(() => (loopback with { Devices = ["0", "1", "0"] }).Checked()).Message.ShouldContain("each device once");
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "a secret that is long enough");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Should.Throw<Ports.DataException>(() => LinkSecret.FromFile(file)).Message.ShouldContain("chmod 600");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        LinkSecret.FromFile(file).IsNone.ShouldBeFalse();
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead); // As systemd and Kubernetes hand it over.
        LinkSecret.FromFile(file).IsNone.ShouldBeFalse();
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(file, "short");
        Should.Throw<Ports.DataException>(() => LinkSecret.FromFile(file)).Message.ShouldContain("too short");
        File.Delete(file);
    }
}
