namespace DaNas.Domain.Ports;

/// <summary>Something wrong with a data set, a blob or a journal: one line for the user, with the file and the remedy.</summary>
public sealed class DataException : Exception
{
    public DataException(string message)
        : base(message)
    {
    }

    public DataException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
