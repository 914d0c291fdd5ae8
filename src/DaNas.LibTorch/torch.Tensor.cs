using System.Runtime.InteropServices;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A native tensor. Freed by <see cref="Dispose"/>, by its dispose scope, or at last by the collector.</summary>
    public partial class Tensor : IDisposable
    {
        private IntPtr handle;

        internal Tensor(IntPtr handle)
        {
            this.handle = Native.Check(handle);
            Scope = DisposeScope.Current;
            Scope?.Add(this);
        }

        ~Tensor() => Release();

        internal IntPtr Handle => handle != IntPtr.Zero ? handle : throw new ObjectDisposedException(nameof(Tensor));

        internal DisposeScope? Scope { get; set; }

        public long[] shape
        {
            get
            {
                long[] result = new long[Native.danas_rank(Handle)];
                Native.danas_shape(Handle, result);
                return result;
            }
        }

        public ScalarType dtype => (ScalarType)Native.danas_dtype(Handle);

        public bool requires_grad
        {
            get => Native.danas_requires_grad(Handle) != 0;
            set => Native.Check(Native.danas_set_requires_grad(Handle, value ? 1 : 0));
        }

        /// <summary>The gradient, a fresh handle to it, or null where there is none.</summary>
        public Tensor? grad
        {
            get => Native.danas_has_grad(Handle) != 0 ? new Tensor(Native.danas_grad(Handle)) : null;
            set => Native.Check(Native.danas_set_grad(Handle, value?.Handle ?? IntPtr.Zero));
        }

        /// <summary>The bytes of a contiguous CPU tensor, without a copy; valid while the tensor lives.</summary>
        public unsafe Span<byte> bytes
        {
            get
            {
                if (Native.danas_is_cpu(Handle) == 0 || Native.danas_is_contiguous(Handle) == 0)
                    throw new InvalidOperationException("bytes needs a contiguous tensor on the CPU");
                return new Span<byte>((void*)Native.danas_data(Handle), checked((int)Native.danas_nbytes(Handle)));
            }
        }

        public long numel() => Native.danas_numel(Handle);

        public void Dispose()
        {
            Scope?.Remove(this);
            Free();
            GC.SuppressFinalize(this);
        }

        public Tensor MoveToOuterDisposeScope()
        {
            Scope?.MoveOut(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            Scope?.Remove(this);
            Scope = null;
            return this;
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public void backward() => Native.Check(Native.danas_backward(Handle));

        public Tensor detach() => new(Native.danas_detach(Handle));

        public Tensor clone() => new(Native.danas_clone(Handle));

        public Tensor alias() => new(Native.danas_alias(Handle));

        public Tensor cpu() => new(Native.danas_to_device(Handle, "cpu"));

        public Tensor to(Device device) => new(Native.danas_to_device(Handle, device.ToString()));

        public Tensor to_type(ScalarType type) => new(Native.danas_to_dtype(Handle, (int)type));

        public Tensor copy_(Tensor source)
        {
            Native.Check(Native.danas_copy_(Handle, source.Handle));
            return this;
        }

        public Tensor zero_()
        {
            Native.Check(Native.danas_zero_(Handle));
            return this;
        }

        /// <summary>One number, whatever the element type.</summary>
        public T item<T>()
            where T : unmanaged
        {
            if (numel() != 1)
                throw new InvalidOperationException($"item() needs one element, the tensor has {numel()}");
            return data<T>()[0];
        }

        /// <summary>A copy of all elements in default layout; brings a tensor from its device.</summary>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            using Tensor host = new(Native.danas_to_device(Handle, "cpu"));
            using Tensor plain = new(Native.danas_contiguous(host.Handle));
            return new TensorAccessor<T>(MemoryMarshal.Cast<byte, T>(plain.bytes).ToArray());
        }

        internal void Free()
        {
            Release();
            GC.SuppressFinalize(this);
        }

        private void Release()
        {
            IntPtr owned = Interlocked.Exchange(ref handle, IntPtr.Zero);
            if (owned != IntPtr.Zero)
                Native.danas_free(owned);
        }
    }

    /// <summary>The elements of a tensor on the host.</summary>
    public sealed class TensorAccessor<T>(T[] values)
        where T : unmanaged
    {
        public T this[long index] => values[index];

        public T[] ToArray() => [.. values];
    }
}
