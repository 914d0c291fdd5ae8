using DaNas.Actors.Cluster;
using DaNas.Domain.Values;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace DaNas.Runtime.Cluster;

/// <summary>A search to begin.</summary>
internal sealed record SearchRequest(string Id, string Configuration);

/// <summary>What a node is to do.</summary>
internal sealed record DutyRequest(NodeDuty Duty);

/// <summary>Why something was not done.</summary>
internal sealed record ApiProblem(string Error);

/// <summary>
/// The API of the leader, for the command line and for pages: JSON under <c>/api</c>. 503: this node does not lead. 504: nobody answered in
/// time; asking again changes nothing that was done. 409: not done, with the reason.
/// </summary>
internal static class ClusterApi
{
    /// <summary>A client repeats itself; a request must not hang longer than its patience.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    public static void Map(WebApplication app, Func<Questions?> leader)
    {
        app.MapGet("/api/nodes", (CancellationToken stop) =>
            AnswerAsync<ClusterProtocol.NodeList>(leader, ask => new ClusterProtocol.ListNodes(ask), l => (l.Nodes, l.Failure), stop));
        app.MapPut("/api/nodes/{name}/duty", async (string name, HttpRequest request, CancellationToken stop) =>
            await ReadAsync<DutyRequest>(request, stop) is not { } asked ? Unreadable() : await AnswerAsync<ClusterProtocol.NodeList>(
                leader, ask => new ClusterProtocol.SetDuty(ask, name, asked.Duty), l => (l.Nodes, l.Failure), stop));
        app.MapGet("/api/searches", (CancellationToken stop) =>
            AnswerAsync<ClusterProtocol.SearchList>(leader, ask => new ClusterProtocol.ListSearches(ask), l => (l.Searches, null), stop));
        app.MapPost("/api/searches", async (HttpRequest request, CancellationToken stop) =>
            await ReadAsync<SearchRequest>(request, stop) is not { } asked ? Unreadable() : await AnswerAsync<ClusterProtocol.Answer>(
                leader, ask => new ClusterProtocol.SubmitSearch(ask, asked.Id, asked.Configuration), a => (asked.Id, a.Failure), stop));
        app.MapPost("/api/searches/{id}/resume", (string id, CancellationToken stop) =>
            AnswerAsync<ClusterProtocol.Answer>(leader, ask => new ClusterProtocol.ResumeSearch(ask, id), a => (id, a.Failure), stop));
        app.MapGet("/api/searches/{id}/events", (string id, long? after, CancellationToken stop) => AnswerAsync<ClusterProtocol.Followed>(
            leader, ask => new ClusterProtocol.Follow(ask, id, after ?? 0), f => (f.Events, f.Failure), stop));
    }

    private static async Task<IResult> AnswerAsync<T>(Func<Questions?> leader, Func<string, IAsk> question,
        Func<T, (object Value, string? Failure)> read, CancellationToken stop)
        where T : class, IAsk
    {
        if (leader() is not { } asked)
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        try
        {
            (object value, string? failure) = read(await asked.AskAsync<T>(question, Patience, stop));
            return failure is null ? Results.Json(value, DomainJson.Stored)
                : Results.Json(new ApiProblem(failure), DomainJson.Stored, statusCode: StatusCodes.Status409Conflict);
        }
        catch (TimeoutException e)
        {
            return Results.Json(new ApiProblem(e.Message), DomainJson.Stored, statusCode: StatusCodes.Status504GatewayTimeout);
        }
    }

    private static async Task<T?> ReadAsync<T>(HttpRequest request, CancellationToken stop)
        where T : class
    {
        try
        {
            return await System.Text.Json.JsonSerializer.DeserializeAsync<T>(request.Body, DomainJson.Stored, stop);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static IResult Unreadable() => Results.Json(new ApiProblem("the request body is not the JSON that this endpoint expects"),
        DomainJson.Stored, statusCode: StatusCodes.Status400BadRequest);
}
