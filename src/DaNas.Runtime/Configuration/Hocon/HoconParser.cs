using System.Text;
using DaNas.Domain.Configuration;

namespace DaNas.Runtime.Configuration.Hocon;

/// <summary>
/// Reads HOCON (the Human-Optimized Config Object Notation of Lightbend): comments, dotted keys, includes, substitutions, joined values,
/// <c>+=</c>, and JSON as it is. What it does not read: the <c>url</c> and <c>classpath</c> forms of include.
/// </summary>
internal sealed partial class HoconParser
{
    /// <summary>Objects and lists in each other; a limit, since what reads them calls itself.</summary>
    private const int Deepest = 200;

    private const string Reserved = "$\"{}[]:=,+#`^?!@*&\\";

    private readonly string text;
    private readonly string file;
    private readonly Func<string, string, HoconNode.Map?> include;
    private readonly Stack<string[]> within = [];
    private int at;
    private int depth;
    private int line = 1;

    private HoconParser(string text, string file, Func<string, string, HoconNode.Map?> include)
    {
        this.text = text;
        this.file = file;
        this.include = include;
    }

    /// <summary>Parses a text; <paramref name="include"/> is asked with the including file and the name that it includes.</summary>
    public static HoconNode.Map Parse(string text, string file, Func<string, string, HoconNode.Map?> include)
    {
        HoconParser parser = new(text, file, include);
        parser.SkipSpaceAndLines();
        bool braces = parser.Peek == '{';
        HoconNode.Map map = braces ? parser.ReadObject() : parser.ReadFields('\0');
        parser.SkipSpaceAndLines();
        return parser.at == text.Length ? map : throw parser.Error($"nothing may follow the closing brace, found '{parser.Peek}'");
    }

    private char Peek => at < text.Length ? text[at] : '\0';

    private ConfigOrigin Here => new(file, line);

    private HoconException Error(string message) => new(Here, message);

    private HoconNode.Map ReadObject()
    {
        Expect('{');
        HoconNode.Map map = ReadFields('}');
        Expect('}');
        return map;
    }

    private HoconNode.Map ReadFields(char end)
    {
        HoconNode.Map map = new(Here);
        while (true)
        {
            SkipSpaceAndLines(true);
            if (Peek == end || at >= text.Length)
            {
                if (Peek != end && end != '\0')
                    throw Error($"'{end}' is missing before the end of the file");
                return map;
            }

            if (end == '\0' && Peek is '}' or ']')
                throw Error($"unexpected '{Peek}': there is nothing to close");
            if (AtInclude())
                ReadInclude(map);
            else
                ReadField(map);
            SkipSpace();
            if (at < text.Length && Peek is not (',' or '\n' or '\r' or '#') && Peek != end && !AtComment)
                throw Error($"expected a new line or ',' after the value, found '{Peek}'");
        }
    }

    private void ReadField(HoconNode.Map map)
    {
        string[] path = ReadPath();
        SkipSpace();
        if (Peek == '{')
        {
            map.Set(path, Within(path));
            return;
        }

        bool append = Peek == '+' && at + 1 < text.Length && text[at + 1] == '=';
        if (append)
            at++;
        if (Peek is not (':' or '='))
            throw Error($"expected '=' or ':' after the key '{string.Join('.', path)}', found '{(at < text.Length ? Peek : ' ')}'");
        at++;
        SkipSpaceAndLines();
        HoconNode value = Within(path);
        map.Set(path, append ? new HoconNode.Join([Find(map, path) ?? new HoconNode.Substitution(string.Join('.', within.Reverse()
            .SelectMany(p => p).Concat(path)), true, value.Origin), new HoconNode.List([value], value.Origin)], value.Origin) : value);
    }

    /// <summary>What this object says of a key already: += is about that, wherever the object is included.</summary>
    private static HoconNode? Find(HoconNode.Map map, string[] path)
    {
        HoconNode? node = map;
        foreach (string key in path)
            node = (node as HoconNode.Map)?.Fields.GetValueOrDefault(key);
        return node;
    }

    /// <summary>The value of a field; what is in it knows where it stands.</summary>
    private HoconNode Within(string[] path)
    {
        within.Push(path);
        HoconNode value = ReadValue();
        within.Pop();
        return value;
    }

    private string[] ReadPath()
    {
        List<string> path = [];
        StringBuilder part = new();
        bool any = false;
        while (at < text.Length)
        {
            char c = Peek;
            if (c == '"')
            {
                part.Append(ReadQuoted());
                any = true;
            }
            else if (c == '.')
            {
                at++;
                path.Add(part.ToString());
                part.Clear();
            }
            else if (char.IsWhiteSpace(c) || Reserved.Contains(c, StringComparison.Ordinal))
            {
                break;
            }
            else
            {
                part.Append(c);
                any = true;
                at++;
            }
        }

        path.Add(part.ToString());
        return any && path.All(p => p.Length > 0) ? [.. path] : throw Error($"expected a key, found '{(at < text.Length ? Peek : ' ')}'");
    }

    private HoconNode ReadValue()
    {
        ConfigOrigin origin = Here;
        if (++depth > Deepest)
            throw Error($"objects and lists are nested more than {Deepest} levels deep");
        List<HoconNode> parts = [];
        while (true)
        {
            int spaceFrom = at;
            SkipSpace();
            if (at >= text.Length || Peek is ',' or '}' or ']' or '\n' or '\r' or '#' || AtComment)
            {
                at = parts.Count > 0 ? Math.Max(spaceFrom, at) : at;
                break;
            }

            if (at > spaceFrom && parts.Count > 0)
                parts.Add(new HoconNode.Scalar(text[spaceFrom..at], false, Here));
            parts.Add(ReadPart());
        }

        depth--;
        return parts.Count switch
        {
            0 => throw Error("a value is missing"),
            1 => parts[0],
            _ => new HoconNode.Join(parts, origin),
        };
    }

    private HoconNode ReadPart()
    {
        ConfigOrigin origin = Here;
        switch (Peek)
        {
            case '{':
                return ReadObject();
            case '[':
                return ReadList();
            case '"':
                return new HoconNode.Scalar(ReadQuoted(), true, origin);
            case '$':
                return ReadSubstitution();
        }

        int from = at;
        while (at < text.Length && !char.IsWhiteSpace(Peek) && !Reserved.Contains(Peek, StringComparison.Ordinal) && !AtComment)
            at++;
        return at > from ? new HoconNode.Scalar(text[from..at], false, origin) : throw Error($"'{Peek}' must be quoted");
    }

    private HoconNode.List ReadList()
    {
        ConfigOrigin origin = Here;
        Expect('[');
        List<HoconNode> items = [];
        while (true)
        {
            SkipSpaceAndLines(true);
            if (Peek == ']')
                break;
            if (at >= text.Length)
                throw Error("']' is missing before the end of the file");
            items.Add(ReadValue());
        }

        Expect(']');
        return new HoconNode.List(items, origin);
    }

    private HoconNode.Substitution ReadSubstitution()
    {
        ConfigOrigin origin = Here;
        int end = text.IndexOf('}', at);
        if (at + 1 >= text.Length || text[at + 1] != '{' || end < 0)
            throw Error("a substitution is written ${path} or ${?path}");
        string inner = text[(at + 2)..end].Trim();
        at = end + 1;
        bool optional = inner.StartsWith('?');
        return new HoconNode.Substitution(optional ? inner[1..] : inner, optional, origin);
    }

    private bool AtInclude() => text.AsSpan(at).StartsWith("include", StringComparison.Ordinal) && at + 7 < text.Length
        && text[at + 7] is ' ' or '\t' or '"';

    private void ReadInclude(HoconNode.Map map)
    {
        ConfigOrigin origin = Here;
        at += 7;
        SkipSpace();
        int from = at;
        while (at < text.Length && Peek is not ('"' or '\n'))
            at++;
        string form = text[from..at].Trim();
        if (Peek != '"' || form is not ("" or "file(" or "required(" or "required(file("))
            throw new HoconException(origin, "an include is written include \"file.conf\" or include required(\"file.conf\")");
        string name = ReadQuoted();
        for (int i = form.Count(c => c == '('); i > 0; i--)
            Expect(')');
        HoconNode.Map? included = include(file, name);
        if (included is null)
            throw new HoconException(origin, $"the included file '{name}' does not exist (searched next to this file and in the " +
                $"product's hocon folder)");
        map.Overlay(included);
    }
}
