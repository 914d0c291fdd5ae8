namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Named parameters, buffers and children; the names are the paths of the checkpoint.</summary>
            public abstract class Module(string name) : IDisposable
            {
                private readonly List<(string Name, Modules.Parameter Parameter)> parameterList = [];
                private readonly List<(string Name, Tensor Buffer)> bufferList = [];
                private readonly List<(string Name, Module Module)> childList = [];

                /// <summary>Whether batch norm uses the batch's statistics.</summary>
                public bool training { get; private set; } = true;

                public string GetName() => name;

                public void register_parameter(string name, Modules.Parameter param) => parameterList.Add((name, param));

                /// <summary>As in TorchSharp, a dispose scope that the tensor was made in still owns it: detach it first.</summary>
                public void register_buffer(string name, Tensor tensor) => bufferList.Add((name, tensor));

                public void register_module(string name, Module submodule) => childList.Add((name, submodule));

                public IEnumerable<(string name, Module module)> named_children() => childList.Select(c => (c.Name, c.Module));

                public IEnumerable<(string name, Modules.Parameter parameter)> named_parameters(bool recurse = true)
                {
                    foreach ((string own, Modules.Parameter parameter) in parameterList)
                        yield return (own, parameter);
                    if (!recurse)
                        yield break;
                    foreach ((string child, Module module) in childList)
                    {
                        foreach ((string inner, Modules.Parameter parameter) in module.named_parameters())
                            yield return ($"{child}.{inner}", parameter);
                    }
                }

                public IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true)
                {
                    foreach ((string own, Tensor buffer) in bufferList)
                        yield return (own, buffer);
                    if (!recurse)
                        yield break;
                    foreach ((string child, Module module) in childList)
                    {
                        foreach ((string inner, Tensor buffer) in module.named_buffers())
                            yield return ($"{child}.{inner}", buffer);
                    }
                }

                public IEnumerable<Modules.Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(p => p.parameter);

                public void train(bool on = true)
                {
                    training = on;
                    foreach ((_, Module module) in childList)
                        module.train(on);
                }

                public void eval() => train(false);

                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing)
                {
                    if (!disposing)
                        return;
                    foreach ((_, Modules.Parameter parameter) in parameterList)
                        parameter.Dispose();
                    foreach ((_, Tensor buffer) in bufferList)
                        buffer.Dispose();
                    foreach ((_, Module module) in childList)
                        module.Dispose();
                }
            }

            /// <summary>A module of one input and one output.</summary>
            public abstract class Module<T, TResult>(string name) : Module(name)
            {
                public abstract TResult forward(T input);

                public TResult call(T input) => forward(input);
            }
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>A tensor that is trained. As in TorchSharp, a dispose scope that it was made in owns it until it is detached.</summary>
    public sealed class Parameter : torch.Tensor
    {
        public Parameter(torch.Tensor data, bool requires_grad = true)
            : base(Native.danas_detach(data.Handle))
        {
            this.requires_grad = requires_grad;
        }
    }
}
