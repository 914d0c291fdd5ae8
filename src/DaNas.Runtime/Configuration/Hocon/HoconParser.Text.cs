using System.Text;

namespace DaNas.Runtime.Configuration.Hocon;

/// <summary>Quoted texts, escapes, comments and white space.</summary>
internal sealed partial class HoconParser
{
    private string ReadQuoted()
    {
        if (text.AsSpan(at).StartsWith("\"\"\"", StringComparison.Ordinal))
        {
            int end = text.IndexOf("\"\"\"", at + 3, StringComparison.Ordinal);
            if (end < 0)
                throw Error("the closing \"\"\" is missing");
            string raw = text[(at + 3)..end];
            line += raw.Count(c => c == '\n');
            at = end + 3;
            return raw;
        }

        StringBuilder result = new();
        at++;
        while (Peek != '"')
        {
            if (at >= text.Length || Peek == '\n')
                throw Error("the closing quote is missing");
            result.Append(Peek == '\\' ? ReadEscape() : text[at++]);
        }

        at++;
        return result.ToString();
    }

    private char ReadEscape()
    {
        at++;
        char c = Peek;
        at++;
        switch (c)
        {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'b': return '\b';
            case 'f': return '\f';
            case '"' or '\\' or '/': return c;
            case 'u' when at + 4 <= text.Length && ushort.TryParse(
                text.AsSpan(at, 4), System.Globalization.NumberStyles.HexNumber, null, out ushort code):
                at += 4;
                return (char)code;
            default: throw Error($"'\\{c}' is not a valid escape sequence in a quoted string");
        }
    }

    private bool AtComment => Peek == '#' || (Peek == '/' && at + 1 < text.Length && text[at + 1] == '/');

    private void Expect(char c)
    {
        SkipSpace();
        if (Peek != c)
            throw Error($"expected '{c}', found '{(at < text.Length ? Peek : ' ')}'");
        at++;
    }

    private void SkipSpace()
    {
        while (at < text.Length && Peek != '\n' && char.IsWhiteSpace(Peek))
            at++;
    }

    private void SkipSpaceAndLines(bool commas = false)
    {
        while (at < text.Length)
        {
            if (AtComment)
            {
                while (at < text.Length && Peek != '\n')
                    at++;
            }
            else if (char.IsWhiteSpace(Peek) || (commas && Peek == ','))
            {
                if (Peek == '\n')
                    line++;
                at++;
            }
            else
            {
                return;
            }
        }
    }
}
