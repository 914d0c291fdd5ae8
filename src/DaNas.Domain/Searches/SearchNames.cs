namespace DaNas.Domain.Searches;

/// <summary>Names of searches: they are folders, persistence ids and parts of actor names too.</summary>
public static class SearchNames
{
    /// <summary>An id that is made of <c>search.name</c> adds the time and four digits to it.</summary>
    public const int LongestName = Longest - 21;

    private const int Longest = 100;

    public static bool AreProper(string name) =>
        name.Length is > 0 and <= Longest && !name.StartsWith('.') && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
