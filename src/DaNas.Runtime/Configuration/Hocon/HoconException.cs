using DaNas.Domain.Configuration;

namespace DaNas.Runtime.Configuration.Hocon;

/// <summary>A text that is not HOCON, or a substitution that leads nowhere.</summary>
public sealed class HoconException(ConfigOrigin origin, string message) : Exception($"{origin}: {message}")
{
    public ConfigOrigin Origin => origin;
}
