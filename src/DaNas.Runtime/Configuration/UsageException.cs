namespace DaNas.Runtime.Configuration;

/// <summary>A mistake of the user's, with exit code 2: one line, no stack trace.</summary>
public sealed class UsageException(string message) : Exception(message);
