using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Architectures;

/// <summary>
/// One block name a layer. Its text is canonical (<c>cpu-base/k3e6.k5e3.skip</c>), its id the first 12 digits of the text's SHA-256.
/// An architecture is data; it never holds weights.
/// </summary>
public sealed record Architecture(string Space, ValueList<string> Blocks)
{
    public string Text => $"{Space}/{string.Join('.', Blocks)}";

    public string Id => Digest.Of(Text).Short;

    /// <summary>Reads a canonical text against its space; null when it is not an architecture of that space.</summary>
    public static Architecture? Parse(SearchSpace space, string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || text[..slash] != space.Name)
            return null;
        ValueList<string> blocks = text[(slash + 1)..].Split('.').ToValueList();
        bool legal = blocks.Count == space.Layers.Count && blocks
            .Select((b, l) => space.Layers[l].Candidates.Any(c => c.Name == b)).All(ok => ok);
        return legal ? new Architecture(space.Name, blocks) : null;
    }

    public override string ToString() => Text;
}
