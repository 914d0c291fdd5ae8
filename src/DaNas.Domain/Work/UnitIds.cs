using System.Globalization;

namespace DaNas.Domain.Work;

/// <summary>The parts of a unit's id.</summary>
public static class UnitIds
{
    public static string Text(string id, int part) => id.Split('/')[part];

    public static int Part(string id, int part) => int.Parse(Text(id, part), CultureInfo.InvariantCulture);

    public static int Last(string id) => int.Parse(id[(id.LastIndexOf('/') + 1)..], CultureInfo.InvariantCulture);
}
