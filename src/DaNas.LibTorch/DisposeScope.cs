namespace TorchSharp;

/// <summary>
/// Frees, at its end, every tensor that was made in it on the same thread and not moved out. Scopes nest; a scope is bound to
/// its thread (no <c>await</c> inside).
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic] private static DisposeScope? current;

    private readonly DisposeScope? outer;
    private readonly HashSet<torch.Tensor> tensors = new(ReferenceEqualityComparer.Instance);
    private bool disposed;

    internal DisposeScope()
    {
        outer = current;
        current = this;
    }

    internal static DisposeScope? Current => current;

    /// <summary>Tensors that this scope would free now.</summary>
    public int DisposablesCount => tensors.Count;

    /// <summary>Frees what is left, innermost scope first.</summary>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        if (ReferenceEquals(current, this))
            current = outer;
        foreach (torch.Tensor tensor in tensors)
            tensor.Free();
        tensors.Clear();
    }

    internal void Add(torch.Tensor tensor) => tensors.Add(tensor);

    internal void Remove(torch.Tensor tensor) => tensors.Remove(tensor);

    internal void MoveOut(torch.Tensor tensor)
    {
        tensors.Remove(tensor);
        tensor.Scope = outer;
        outer?.Add(tensor);
    }
}
