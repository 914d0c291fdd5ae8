using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using DaNas.Domain.Values;
using DaNas.Runtime.Blobs.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace DaNas.Runtime.Cluster;

/// <summary>Who a node is, before Akka.Remote is tried.</summary>
internal sealed record NodeAbout(string Cluster, string Name, string Version);

/// <summary>Who leads: the address of Akka.Remote, and that of HTTPS.</summary>
internal sealed record LeaderAddress(string Remoting, string Url);

/// <summary>
/// The HTTPS port of a node: <c>/healthz</c> and <c>/readyz</c> for anybody, <c>/about</c>, <c>/leader</c> (answered by the leader only),
/// <c>/blobs</c> and <c>/api</c> for those with a certificate of the cluster's authority.
/// </summary>
internal sealed class NodeServer : IAsyncDisposable
{
    private const int MostConnections = 2_000;
    private const int LargestBody = 1024 * 1024;

    private readonly WebApplication app;

    public NodeServer(NodeSettings settings, Action<string, string> refused)
    {
        Settings = settings;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = "Production" });
        builder.Logging.ClearProviders();
        builder.Services.AddHealthChecks().AddCheck("node", () => Ready() ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Limits.MaxConcurrentConnections = MostConnections;
            k.Limits.MaxRequestBodySize = LargestBody;
            k.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
            k.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            k.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(15);
            k.Listen(settings.Http, o =>
            {
                if (settings.Certificates is { } certificates)
                    o.UseHttps(h => Secure(h, certificates, refused));
            });
        });
        app = builder.Build();
        app.Use(async (http, next) =>
        {
            if (settings.Certificates is not null && http.Connection.ClientCertificate is null
                && http.Request.Path.Value is not ("/healthz" or "/readyz"))
            {
                refused($"{http.Connection.RemoteIpAddress}", "presented no certificate");
                http.Response.StatusCode = StatusCodes.Status403Forbidden;
                return;
            }

            if (http.Request.Headers.Origin.Count > 0)
            {
                // A page in somebody's browser, which reaches loopback; nodes and verbs send none.
                http.Response.StatusCode = StatusCodes.Status403Forbidden;
                return;
            }

            await next();
        });
        app.MapHealthChecks("/healthz", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/readyz");
        app.MapGet("/about", () => Results.Json(new NodeAbout(
            settings.Cluster, settings.Name, typeof(NodeServer).Assembly.GetName().Version!.ToString(3)), DomainJson.Stored));
        app.MapGet("/leader", (string? waiting) =>
        {
            if (Leader is not null)
                return Results.Json(new LeaderAddress(settings.Advertise.Remoting, settings.Url), DomainJson.Stored);
            if (waiting is { Length: > 0 and <= 100 })
                Waiting.Add(waiting);
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        });
        app.MapBlobs(settings.BlobFolderOf);
        ClusterApi.Map(app, () => Leader);
    }

    public NodeSettings Settings { get; }

    /// <summary>Whether this node does its part.</summary>
    public Func<bool> Ready { get; set; } = () => false;

    /// <summary>Asks the leader's reception; null while this node does not lead.</summary>
    public Questions? Leader { get; set; }

    /// <summary>Nodes that ask here for the leader because they do not reach the one that leads.</summary>
    public WaitingNodes Waiting { get; } = new();

    /// <summary>Throws <see cref="Configuration.UsageException"/> where the port is in use.</summary>
    public async Task StartAsync()
    {
        try
        {
            await app.StartAsync();
        }
        catch (IOException e)
        {
            throw new Configuration.UsageException($"--http {Settings.Http}: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(2));
        await app.StopAsync(patience.Token);
        await app.DisposeAsync();
    }

    private static void Secure(HttpsConnectionAdapterOptions options, Certificates certificates, Action<string, string> refused)
    {
        options.ServerCertificate = certificates.Own;
        options.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
        options.ClientCertificateValidation = (shown, _, _) =>
        {
            string? why = certificates.Refuses(shown);
            if (why is not null)
                refused(shown.Subject, why);
            return why is null;
        };
        options.OnAuthenticate = (_, o) => o.CertificateRevocationCheckMode = X509RevocationMode.NoCheck;
    }
}
