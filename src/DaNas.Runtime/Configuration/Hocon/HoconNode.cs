using DaNas.Domain.Configuration;

namespace DaNas.Runtime.Configuration.Hocon;

/// <summary>A parsed and not yet resolved HOCON value.</summary>
internal abstract record HoconNode(ConfigOrigin Origin)
{
    /// <summary>Keys in the order in which they were first written; later values merge with or replace earlier ones.</summary>
    public sealed record Map(Dictionary<string, HoconNode> Fields, ConfigOrigin Origin) : HoconNode(Origin)
    {
        public Map(ConfigOrigin origin)
            : this(new Dictionary<string, HoconNode>(StringComparer.Ordinal), origin)
        {
        }

        /// <summary>Sets a value at a path, merging objects.</summary>
        public void Set(ReadOnlySpan<string> path, HoconNode value)
        {
            if (path.Length > 1)
            {
                Map inner = new(value.Origin);
                inner.Set(path[1..], value);
                value = inner;
            }

            Fields[path[0]] = Fields.TryGetValue(path[0], out HoconNode? before) ? Merge(before, value) : value;
        }

        /// <summary>Lays another object over this one.</summary>
        public void Overlay(Map other)
        {
            foreach ((string key, HoconNode value) in other.Fields)
                Set([key], value);
        }

        private static HoconNode Merge(HoconNode before, HoconNode after)
        {
            if (before is Map a && after is Map b)
            {
                Map merged = new(new Dictionary<string, HoconNode>(a.Fields, StringComparer.Ordinal), b.Origin);
                merged.Overlay(b);
                return merged;
            }

            bool known = !Refers(after) && (after is Scalar or List || (after is Map && before is Scalar or List));
            return known ? after : new Over(before, after, after.Origin);
        }

        /// <summary>Whether a value has a substitution, which may mean the value before it.</summary>
        private static bool Refers(HoconNode node) => node switch
        {
            Substitution => true,
            List list => list.Items.Any(Refers),
            Join join => join.Parts.Any(Refers),
            Map map => map.Fields.Values.Any(Refers),
            Over over => Refers(over.Before) || Refers(over.After),
            _ => false,
        };
    }

    public sealed record List(IReadOnlyList<HoconNode> Items, ConfigOrigin Origin) : HoconNode(Origin);

    public sealed record Scalar(string Text, bool Quoted, ConfigOrigin Origin) : HoconNode(Origin);

    /// <summary>${path} or ${?path}.</summary>
    public sealed record Substitution(string Path, bool Optional, ConfigOrigin Origin) : HoconNode(Origin);

    /// <summary>Values side by side: objects merge, lists join, texts join with the space between them.</summary>
    public sealed record Join(IReadOnlyList<HoconNode> Parts, ConfigOrigin Origin) : HoconNode(Origin);

    /// <summary>A value over an earlier one, to be decided when substitutions are known.</summary>
    public sealed record Over(HoconNode Before, HoconNode After, ConfigOrigin Origin) : HoconNode(Origin);
}
