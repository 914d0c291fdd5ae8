using DaNas.Domain.Configuration;

namespace DaNas.Runtime.Configuration.Hocon;

/// <summary>Replaces substitutions (from the tree, else from the environment) and joins values: HOCON to a configuration tree.</summary>
internal sealed class HoconResolver(HoconNode.Map root)
{
    private readonly HashSet<HoconNode> open = new(ReferenceEqualityComparer.Instance);

    private readonly Dictionary<HoconNode, ConfigNode?> earlier = new(ReferenceEqualityComparer.Instance);

    /// <summary>The fields whose values are being read, innermost first, with the value that each had before.</summary>
    private Field? field;

    public static ConfigObject Resolve(HoconNode.Map root) => (ConfigObject)new HoconResolver(root).Resolve((HoconNode)root)!;

    /// <summary>A resolved node, or null where an optional substitution found nothing.</summary>
    private ConfigNode? Resolve(HoconNode node)
    {
        switch (node)
        {
            case HoconNode.Map map:
                return ResolveMap(map);
            case HoconNode.List list:
                return new ConfigArray([.. list.Items.Select(Resolve).OfType<ConfigNode>()], list.Origin);
            case HoconNode.Scalar scalar:
                return new ConfigValue(scalar.Text, scalar.Quoted, scalar.Origin);
            case HoconNode.Substitution substitution:
                return Substitute(substitution);
            case HoconNode.Join join:
                return ResolveJoin(join);
            case HoconNode.Over over:
                ConfigNode? after = In(field! with { Before = over.Before }, () => Resolve(over.After));
                return after is null ? Before(field!, over.Before) : after is ConfigObject b
                    && Before(field!, over.Before) is ConfigObject a ? Merge(a, b) : after;
            default:
                throw new HoconException(node.Origin, "unknown kind of value");
        }
    }

    private ConfigObject ResolveMap(HoconNode.Map map)
    {
        Dictionary<string, ConfigNode> fields = new(StringComparer.Ordinal);
        foreach ((string key, HoconNode value) in map.Fields)
        {
            if (In(new Field(field is null ? key : $"{field.Path}.{key}", null, field), () => Resolve(value)) is { } resolved)
                fields[key] = resolved;
        }

        return new ConfigObject(fields, map.Origin);
    }

    private ConfigNode? Substitute(HoconNode.Substitution s)
    {
        // A field that names itself means the value that it had before (HOCON, "Self-Referential Substitutions").
        for (Field? own = field; own is not null; own = own.Outer)
        {
            if (own.Path == s.Path)
                return Earlier(own) ?? (s.Optional ? null : throw new HoconException(
                    s.Origin, $"${{{s.Path}}} refers to itself and has no earlier value; define one, or write ${{?{s.Path}}}"));
        }

        if (!open.Add(s))
            throw new HoconException(s.Origin, $"${{{s.Path}}} refers to itself");
        try
        {
            if (Lookup(s.Path) is { } found)
                return found;
            if (Environment.GetEnvironmentVariable(s.Path) is { } value)
                return new ConfigValue(value, false, new ConfigOrigin($"environment {s.Path}", 0));
            return s.Optional ? null : throw new HoconException(
                s.Origin, $"${{{s.Path}}} is not defined; define it, or write ${{?{s.Path}}} if it is optional");
        }
        finally
        {
            open.Remove(s);
        }
    }

    /// <summary>What a field was before: by itself, or as a part of what the field around it was.</summary>
    private ConfigNode? Earlier(Field own)
    {
        Stack<string> rest = [];
        for (Field? f = own; f is not null; f = f.Outer)
        {
            if (f.Before is { } before)
            {
                ConfigNode? value = Before(f, before);
                foreach (string key in rest)
                    value = (value as ConfigObject)?.Fields.GetValueOrDefault(key);
                if (value is not null)
                    return value;
            }

            rest.Push(f.Path[(f.Path.LastIndexOf('.') + 1)..]);
        }

        return null;
    }

    /// <summary>An earlier value, resolved once: both a substitution and a merge may ask for it.</summary>
    private ConfigNode? Before(Field own, HoconNode before)
    {
        if (!earlier.TryGetValue(before, out ConfigNode? value))
            earlier[before] = value = In(own with { Before = null }, () => Resolve(before));
        return value;
    }

    /// <summary>The value at a path of the whole tree: of it alone, since what stands beside it may refer to it.</summary>
    private ConfigNode? Lookup(string path) => Find(root, path.Split('.'), 0);

    private ConfigNode? Find(HoconNode? node, string[] keys, int at)
    {
        string path = string.Join('.', keys[..at]);
        if (node is null || at == keys.Length)
            return node is null ? null : In(new Field(path, null, null), () => Resolve(node));
        if (node is HoconNode.Map map)
            return Find(map.Fields.GetValueOrDefault(keys[at]), keys, at + 1);
        if (node is HoconNode.Over over)
        {
            ConfigNode? after = Find(over.After, keys, at);
            return after is null or ConfigObject && Find(over.Before, keys, at) is { } before
                ? after is ConfigObject b && before is ConfigObject a ? Merge(a, b) : after ?? before : after;
        }

        ConfigNode? value = In(new Field(path, null, null), () => Resolve(node));
        foreach (string key in keys[at..])
            value = (value as ConfigObject)?.Fields.GetValueOrDefault(key);
        return value;
    }

    private ConfigNode? In(Field inner, Func<ConfigNode?> resolve)
    {
        Field? outer = field;
        field = inner;
        try
        {
            return resolve();
        }
        finally
        {
            field = outer;
        }
    }

    private sealed record Field(string Path, HoconNode? Before, Field? Outer);

    private ConfigNode? ResolveJoin(HoconNode.Join join)
    {
        (HoconNode Raw, ConfigNode? Node)[] parts = [.. join.Parts.Select(p => (p, Resolve(p)))];
        ConfigNode[] values = [.. parts.Where(p => p.Node is not null && !IsSpace(p.Raw)).Select(p => p.Node!)];
        if (values.Length == 0)
            return null;
        if (values.All(v => v is ConfigObject))
            return values.Cast<ConfigObject>().Aggregate(Merge);
        if (values.All(v => v is ConfigArray))
            return new ConfigArray([.. values.Cast<ConfigArray>().SelectMany(a => a.Items)], join.Origin);
        if (!values.All(v => v is ConfigValue))
            throw new HoconException(join.Origin, "objects, lists and strings cannot be concatenated with each other");
        string text = string.Concat(parts.Select(p => (p.Node as ConfigValue)?.Text)).Trim();
        return new ConfigValue(text, values.Any(v => v is ConfigValue { Quoted: true }), join.Origin);
    }

    private static bool IsSpace(HoconNode node) => node is HoconNode.Scalar { Quoted: false } s && string.IsNullOrWhiteSpace(s.Text);

    private static ConfigObject Merge(ConfigObject a, ConfigObject b)
    {
        Dictionary<string, ConfigNode> fields = new(a.Fields, StringComparer.Ordinal);
        foreach ((string key, ConfigNode value) in b.Fields)
            fields[key] = value is ConfigObject inner && fields.GetValueOrDefault(key) is ConfigObject before
                ? Merge(before, inner) : value;
        return new ConfigObject(fields, b.Origin);
    }
}
