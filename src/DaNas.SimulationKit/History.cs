namespace DaNas.SimulationKit;

/// <summary>
/// A rolling hash (FNV-1a, 64 bits) over what happened: the turns, the types of all messages, and the bytes of what is stored. What a
/// message has in it is not hashed: references have a number in them that Akka draws by itself.
/// </summary>
public sealed class History
{
    private const ulong Prime = 1099511628211;

    [ThreadStatic]
    private static Dictionary<Type, ulong>? types;

    /// <summary>The hash so far.</summary>
    public ulong Value { get; private set; } = 14695981039346656037;

    /// <summary>Adds a number.</summary>
    public void Add(ulong number) => Value = (Value ^ number) * Prime;

    /// <summary>Adds a text.</summary>
    public void Add(string text) => Add(Hash(text));

    /// <summary>Adds bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in bytes)
            hash = (hash ^ b) * Prime;
        Add(hash);
    }

    /// <summary>Adds the name of a type; hash codes of the runtime differ between processes.</summary>
    public void Add(Type type)
    {
        types ??= [];
        if (!types.TryGetValue(type, out ulong hash))
            types[type] = hash = Hash(type.FullName ?? type.Name);
        Add(hash);
    }

    private static ulong Hash(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in text)
            hash = (hash ^ c) * Prime;
        return hash;
    }
}
