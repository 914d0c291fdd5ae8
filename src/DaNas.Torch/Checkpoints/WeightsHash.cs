using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using DaNas.Domain.Values;

namespace DaNas.Torch.Checkpoints;

/// <summary>
/// A model's identity, independent of file format: SHA-256 over its tensors in ordinal order of names: name, dtype, shape, bytes.
/// </summary>
public static class WeightsHash
{
    public static Digest Of(IReadOnlyDictionary<string, HostTensor> tensors)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[8];
        foreach ((string name, HostTensor tensor) in tensors.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\n{tensor.Type}\n"));
            foreach (long d in tensor.Shape)
            {
                BinaryPrimitives.WriteInt64LittleEndian(number, d);
                hash.AppendData(number);
            }

            hash.AppendData(tensor.Bytes);
        }

        return new Digest(Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
