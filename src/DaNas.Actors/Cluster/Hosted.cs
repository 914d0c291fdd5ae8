using Akka.Actor;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>A search that this leader writes.</summary>
internal sealed class Hosted(string id, IActorRef actor, SearchEvent.SearchStarted started)
{
    private string? configuration;
    private string? phase;
    private ValueList<BlobRef>? needed;

    public string Id { get; } = id;

    public IActorRef Actor { get; } = actor;

    /// <summary>With what was accepted since.</summary>
    public SearchEvent.SearchStarted Started => State?.Started ?? started;

    /// <summary>Null until the actor has told it, and again when the search is over.</summary>
    public SearchState? State { get; set; }

    public bool IsOver { get; private set; }

    public long Events { get; set; }

    public string Phase => phase ?? State?.Phase.GetType().Name ?? "TakingOver";

    /// <summary>Told once, when the beginning is stored, or with the reason why it is not.</summary>
    public Action<string?>? Answer { get; set; }

    /// <summary>Blobs that this leader has no copy of yet, and those that are on their way.</summary>
    public HashSet<BlobRef> Missing { get; } = [];

    public HashSet<BlobRef> Coming { get; } = [];

    /// <summary>How often nodes are still told which blobs of a search that is over are needed.</summary>
    public int LastKeeps { get; set; } = 5;

    /// <summary>The configuration in force.</summary>
    public string Configuration => configuration ?? State?.Config?.Text ?? Started.Configuration;

    public ValueList<BlobRef> Needed => needed ?? State!.LiveBlobs.Concat(State.Weights)
        .Concat(State.Marks.Select(m => m.Supernet).OfType<BlobRef>()).Distinct().ToValueList();

    public void End()
    {
        (configuration, phase, needed) = (Configuration, Phase, Needed);
        IsOver = true;
        State = null;
        Missing.Clear();
    }

    /// <summary>At once where it is known that the beginning stands in the journal; otherwise when it is.</summary>
    public void AnswerWhenStored(Action<string?> answer)
    {
        if (State is null && !IsOver)
            Answer = answer;
        else
            answer(null);
    }

    public void Reply(string? failure)
    {
        Action<string?>? answer = Answer;
        Answer = null;
        answer?.Invoke(failure);
    }
}
