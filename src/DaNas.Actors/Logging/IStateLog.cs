namespace DaNas.Actors.Logging;

/// <summary>Takes the lines of all actors; an actor by its path without <c>/user</c>: <c>/search-7/search/stage-2</c>.</summary>
public interface IStateLog
{
    void Write(string actor, DateTimeOffset at, StateChange change);
}
