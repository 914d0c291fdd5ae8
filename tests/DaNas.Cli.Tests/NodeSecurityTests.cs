using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using DaNas.Actors.Logging;
using DaNas.Domain.Values;
using DaNas.Drills;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Blobs.Http;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Tests;

/// <summary>
/// Attacks on both ports of a node: none gets in, nothing crashes, and whoever has a certificate still gets through afterwards.
/// </summary>
public sealed class NodeSecurityTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("danas-tls-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task Only_a_certificate_of_the_authority_that_is_neither_expired_nor_revoked_gets_in()
    {
        using Certificates own = Issue("authority", "node", 30), good = Issue("authority", "good", 30),
            revoked = Issue("authority", "revoked", 30), foreign = Issue("other", "foreign", 30);
        await using TestNode node = await TestNode.StartAsync(own);
        (await StatusAsync(node, good, "/about")).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(node, revoked, "/about")).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(node, null, "/about")).ShouldBe(HttpStatusCode.Forbidden);
        (await StatusAsync(node, null, "/api/nodes")).ShouldBe(HttpStatusCode.Forbidden);
        (await StatusAsync(node, null, "/healthz")).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(node, null, "/readyz")).ShouldBe(HttpStatusCode.ServiceUnavailable);
        using HttpClientHandler forged = new()
        {
            ServerCertificateCustomValidationCallback = (_, _, _, _) => true,
            ClientCertificateOptions = ClientCertificateOption.Manual
        };
        forged.ClientCertificates.Add(foreign.Own);
        using HttpClient stranger = new(forged);
        await Should.ThrowAsync<HttpRequestException>(() => stranger.GetAsync(new Uri($"{node.Settings.Url}/about")));
        await UntilAsync(() => Task.FromResult(node.Refused.Any(r => r.Contains("foreign", StringComparison.Ordinal))));

        using (CertificateAuthority authority = CertificateAuthority.Open(At("authority")))
            File.Copy(authority.Revoke("revoked"), Path.Combine(At("node"), Certificates.RevokedFile), true);
        await UntilAsync(async () =>
        {
            try
            {
                return await StatusAsync(node, revoked, "/about") != HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return true; // Within ten seconds, without a restart.
            }
        });
        (await StatusAsync(node, good, "/about")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void A_certificate_that_has_ended_and_a_list_that_somebody_changed_are_refused()
    {
        using Certificates own = Issue("authority", "node", 30);
        own.Warning.ShouldNotBeNull();
        using Certificates fresh = Issue("authority", "fresh", 400);
        fresh.Warning.ShouldBeNull();
        using CertificateAuthority authority = CertificateAuthority.Open(At("authority"));
        using X509Certificate2 expired = Expired();
        own.Refuses(expired)!.ShouldNotBeEmpty();
        File.AppendAllText(Path.Combine(At("node"), Certificates.RevokedFile), "00FF00\n");
        Should.Throw<UsageException>(() => Certificates.Open(At("node"))).Message.ShouldContain("not signed by the authority");
    }

    [Fact]
    public async Task A_blob_is_served_and_no_path_leads_out_of_the_folder()
    {
        await using TestNode node = await TestNode.StartAsync();
        Runtime.Blobs.FileBlobStore store = new(node.Settings.BlobFolderOf("s1")!);
        BlobRef blob = store.Put("weights"u8), other = store.Put("others"u8);
        await File.WriteAllTextAsync(Path.Combine(node.Settings.Folder.Root, "private.txt"), "private");
        (await StatusAsync(node, null, $"/blobs/s1/{blob.Digest.Hex}")).ShouldBe(HttpStatusCode.OK);
        foreach (string path in new[] { "../../private.txt", "..%2f..%2fprivate.txt", "%2e%2e/%2e%2e/private.txt",
            "s1/../../../private.txt", "s1/%2e%2e%2f%2e%2e%2fprivate.txt", "./s1", "s1%00/x", "~/x" })
            (await StatusAsync(node, null, $"/blobs/{path}")).ShouldNotBe(HttpStatusCode.OK, path);
        foreach (string name in new[] { "..", ".", "a/b", "a\\b", "", ".hidden", new string('x', 101), "a\0b" })
            node.Settings.BlobFolderOf(name).ShouldBeNull(name);
        using BlobClient client = TestNode.Client();
        Runtime.Blobs.FileBlobStore here = new(Path.Combine(node.Settings.Folder.Root, "elsewhere"));
        await client.EnsureAsync(here, "s1", blob, ["http://127.0.0.1:1", node.Settings.Url], CancellationToken.None);
        here.Get(blob).ShouldBe("weights"u8.ToArray());
        File.WriteAllText(Path.Combine(node.Settings.BlobFolderOf("s1")!, other.Digest.Hex[..2], other.Digest.Hex), "forged");
        (await Should.ThrowAsync<Domain.Ports.BlobException>(() => client
            .EnsureAsync(here, "s1", other, [node.Settings.Url], CancellationToken.None))).Fault.ShouldBe(Domain.Ports.BlobFault.Lost);
    }

    [Fact]
    public async Task A_page_in_a_browser_is_refused_and_who_does_not_lead_says_so()
    {
        await using TestNode node = await TestNode.StartAsync();
        using HttpClient http = new();
        using HttpRequestMessage fromPage = new(HttpMethod.Get, new Uri($"{node.Settings.Url}/about"));
        fromPage.Headers.Add("Origin", "http://evil.example");
        (await http.SendAsync(fromPage)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await StatusAsync(node, null, "/leader?waiting=t7")).ShouldBe(HttpStatusCode.ServiceUnavailable);
        node.Server.Waiting.Count.ShouldBe(1);
        (await StatusAsync(node, null, "/api/searches")).ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    /// <summary>
    /// Akka.Remote under mutual TLS: whoever has no certificate, or speaks something else, gets nothing; a proper node gets through
    /// afterwards.
    /// </summary>
    [Fact]
    public async Task Junk_plain_TCP_HTTP_and_foreign_certificates_do_not_end_a_node()
    {
        using Certificates own = Issue("authority", "node", 30), good = Issue("authority", "good", 30),
            foreign = Issue("other", "foreign", 30);
        int port = DrillCluster.FreePort();
        Heard heard = new();
        await using AkkaHost node = await StartAsync(port, own);
        node.Listen("sink", m => heard.Messages.Enqueue(m));
        byte[] junk = new byte[64];
        Random random = new(1);
        for (int i = 0; i < 10_000 / 20; i++)
        {
            using TcpClient line = new();
            await line.ConnectAsync(IPAddress.Loopback, port);
            for (int frame = 0; frame < 20; frame++)
            {
                random.NextBytes(junk);
                try
                {
                    await line.GetStream().WriteAsync(frame == 0 && i % 2 == 0 ? "GET / HTTP/1.1\r\n\r\n"u8.ToArray() : junk);
                }
                catch (IOException)
                {
                    break; // Hung up, as it should be.
                }
            }
        }

        await TellAsync(foreign, port);
        await TellAsync(null, port);
        heard.Messages.ShouldBeEmpty();
        node.Fatal.IsCompleted.ShouldBeFalse();
        await using AkkaHost proper = await StartAsync(DrillCluster.FreePort(), good);
        await UntilAsync(() =>
        {
            proper.Resolve($"127.0.0.1:{port}", "sink").Tell(
                new Actors.Cluster.ClusterProtocol.ListNodes("x"), Akka.Actor.ActorRefs.NoSender);
            return Task.FromResult(!heard.Messages.IsEmpty);
        });
    }

    private static Task<AkkaHost> StartAsync(int port, Certificates? certificates) => AkkaHost.StartAsync(
        LocalActors.Timings, null, new Silence(), new AkkaNode("127.0.0.1", port, "127.0.0.1", port)
        {
            Certificate = certificates?.Own,
            Refuses = certificates is null ? null : certificates.Refuses
        });

    /// <summary>Says something to the node for three seconds, under a certificate that it does not take, or under none.</summary>
    private static async Task TellAsync(Certificates? certificates, int port)
    {
        await using AkkaHost stranger = await StartAsync(DrillCluster.FreePort(), certificates);
        for (int i = 0; i < 6; i++)
        {
            stranger.Resolve($"127.0.0.1:{port}", "sink").Tell(
                new Actors.Cluster.ClusterProtocol.ListNodes("stranger"), Akka.Actor.ActorRefs.NoSender);
            await Task.WhenAny(stranger.Ended, Task.Delay(500));
        }
    }

    private string At(string name) => Path.Combine(folder, name);

    private Certificates Issue(string authority, string name, int days)
    {
        if (!Directory.Exists(At(authority)))
            CertificateAuthority.Create(At(authority), authority, 3650).Dispose();
        using (CertificateAuthority issuing = CertificateAuthority.Open(At(authority)))
            issuing.Issue(name, ["127.0.0.1"], At(name), days);
        return Certificates.Open(At(name));
    }

    /// <summary>Signed by the authority, and over since yesterday.</summary>
    private X509Certificate2 Expired()
    {
        using X509Certificate2 authority = X509Certificate2.CreateFromPemFile(
            Path.Combine(At("authority"), Certificates.AuthorityFile), Path.Combine(At("authority"), "authority.key"));
        using System.Security.Cryptography.ECDsa key = System.Security.Cryptography.ECDsa.Create();
        CertificateRequest request = new("CN=old", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        X509SignatureGenerator signer = X509SignatureGenerator.CreateForECDsa(authority.GetECDsaPrivateKey()!);
        return request.Create(authority.SubjectName, signer, DateTimeOffset.UtcNow.AddDays(-2),
            DateTimeOffset.UtcNow.AddDays(-1), [1, 2, 3]);
    }

    private static async Task<HttpStatusCode> StatusAsync(TestNode node, Certificates? certificates, string path)
    {
        using HttpClientHandler any = new() { ServerCertificateCustomValidationCallback = (_, _, _, _) => true };
        using HttpClient http = certificates is null ? new HttpClient(any) : NodeHttp.Client(certificates, TimeSpan.FromSeconds(10));
        using HttpResponseMessage answer = await http.GetAsync(new Uri($"{node.Settings.Url}{path}"));
        return answer.StatusCode;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (int tries = 0; tries < 60; tries++)
        {
            if (await holds())
                return;
            await Task.Delay(250);
        }

        throw new TimeoutException("it did not come to hold within 15 s");
    }

    private sealed class Heard
    {
        public System.Collections.Concurrent.ConcurrentQueue<object> Messages { get; } = new();
    }

    private sealed class Silence : IStateLog
    {
        public void Write(string actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
