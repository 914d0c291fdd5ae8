using System.Globalization;
using System.Runtime.CompilerServices;

namespace DaNas.Domain.Values;

/// <summary>
/// Text that is the same in every culture. Unlike <see cref="FormattableString.Invariant"/> it takes interpolated strings joined with +,
/// so that a long sentence may stand on several lines.
/// </summary>
public static class InvariantText
{
    /// <summary>The text, with numbers and dates in the invariant culture.</summary>
    public static string Invariant(ref Handler text) => text.ToStringAndClear();

    /// <summary>What the compiler builds an interpolated string with.</summary>
    [InterpolatedStringHandler]
    public ref struct Handler(int literalLength, int formattedCount)
    {
        private DefaultInterpolatedStringHandler text = new(literalLength, formattedCount, CultureInfo.InvariantCulture);

        /// <summary>Adds what stands outside the braces.</summary>
        public void AppendLiteral(string value) => text.AppendLiteral(value);

        /// <summary>Adds the value of a hole without a format.</summary>
        public void AppendFormatted<T>(T value) => text.AppendFormatted(value);

        /// <summary>Adds the value of a hole with a format, a width or both (negative: to the left).</summary>
        public void AppendFormatted<T>(T value, int alignment = 0, string? format = null) => text.AppendFormatted(value, alignment, format);

        internal string ToStringAndClear() => text.ToStringAndClear();
    }
}
