using System.Globalization;
using System.Text;

namespace DaNas.Domain.SearchSpaces;

/// <summary>
/// A candidate block by its canonical name: <c>k5e6se</c> is an inverted residual (MBConv, Sandler et al. 2018) with a 5x5
/// depthwise convolution, expansion 6 and squeeze-excite (Hu et al. 2018); <c>g2</c> groups its 1x1 convolutions,
/// <c>sw</c> uses Swish; <c>skip</c> is the identity (or a 1x1 projection where the space projects).
/// </summary>
public sealed record BlockSpec(bool IsSkip, int Kernel, int Expansion, int Groups, bool SqueezeExcite, bool Swish)
{
    public static BlockSpec Skip { get; } = new(true, 0, 0, 1, false, false);

    /// <summary>The block's canonical name: what is pruned, scored, stored and shown.</summary>
    public string Name => Option ?? (IsSkip ? "skip" : MbConvName());

    /// <summary>The name of an option of a table space, which has no shape; null: a block that can be built.</summary>
    public string? Option { get; init; }

    /// <summary>An option of a table space.</summary>
    public static BlockSpec Of(string option) => new(false, 0, 0, 1, false, false) { Option = option };

    /// <summary>Reads a canonical name; null when it is not one.</summary>
    public static BlockSpec? Parse(string name)
    {
        if (name == "skip")
            return Skip;
        string rest = name;
        if (!Take("k", out int kernel) || !Take("e", out int expansion))
            return null;
        if (!Take("g", out int groups))
            groups = 1;
        bool se = Word("se");
        bool swish = Word("sw");
        BlockSpec block = new(false, kernel, expansion, groups, se, swish);
        return rest.Length == 0 && block.Name == name && kernel % 2 == 1 && kernel is >= 1 and <= 15 && expansion is >= 1 and <= 32
            && groups is >= 1 and <= 64
            ? block : null;

        bool Take(string letter, out int number)
        {
            number = 0;
            if (!rest.StartsWith(letter, StringComparison.Ordinal))
                return false;
            int digits = rest.Skip(1).TakeWhile(char.IsAsciiDigit).Count();
            if (digits is 0 or > 3 || !int.TryParse(rest.AsSpan(1, digits), CultureInfo.InvariantCulture, out number))
                return false;
            rest = rest[(1 + digits)..];
            return true;
        }

        bool Word(string word)
        {
            if (!rest.StartsWith(word, StringComparison.Ordinal))
                return false;
            rest = rest[word.Length..];
            return true;
        }
    }

    public override string ToString() => Name;

    private string MbConvName()
    {
        StringBuilder name = new();
        name.Append(CultureInfo.InvariantCulture, $"k{Kernel}e{Expansion}");
        if (Groups > 1)
            name.Append(CultureInfo.InvariantCulture, $"g{Groups}");
        return name.Append(SqueezeExcite ? "se" : string.Empty).Append(Swish ? "sw" : string.Empty).ToString();
    }
}
