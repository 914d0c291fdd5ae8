using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Evaluation;

/// <summary>Which evidence to ask for next. Pure; runs only when every unit of the evidence round before is stored.</summary>
public static class EvidencePlanner
{
    /// <summary>
    /// Requests of evidence round <paramref name="roundsDone"/>: first every block of a layer with a choice, then, up to the bound, the
    /// blocks whose interval straddles their layer's cut. Ordered by (layer, block); empty when the evidence is enough.
    /// </summary>
    public static ValueList<BlockRequest> Next(ScoreTable scores, AliveBlocks alive, SearchConfig config, int roundsDone)
    {
        if (roundsDone >= config.Evidence.Rounds)
            return [];
        if (roundsDone == 0)
            return alive.Layers.SelectMany((l, i) => l.Count > 1 ? l.Select(b => new BlockRequest(i, b)) : []).ToValueList();
        List<BlockRequest> requests = [];
        for (int layer = 0; layer < alive.Layers.Count; layer++)
        {
            BlockScore[] ranked = [.. scores.OfLayer(layer).OrderBy(s => s.Score)];
            int removed = (int)Math.Floor(config.Prune.Ratio * ranked.Length);
            if (removed == 0 || removed >= ranked.Length)
                continue;
            double cut = (ranked[removed - 1].Score + ranked[removed].Score) / 2;
            requests.AddRange(scores.OfLayer(layer).Where(s => s.Low < cut && cut < s.High).Select(s => new BlockRequest(layer, s.Block)));
        }

        return requests.ToValueList();
    }
}
