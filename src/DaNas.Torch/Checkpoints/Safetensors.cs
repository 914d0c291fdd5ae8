using System.Buffers.Binary;
using System.Text.Json;
using DaNas.Domain.Ports;

namespace DaNas.Torch.Checkpoints;

/// <summary>
/// The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes. Names in ordinal order, so that equal content
/// gives equal bytes.
/// </summary>
public static class Safetensors
{
    public static byte[] Write(IReadOnlyDictionary<string, HostTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        string[] names = [.. tensors.Keys.Order(StringComparer.Ordinal)];
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                json.WriteString(key, value);
            json.WriteEndObject();
            long offset = 0;
            foreach (string name in names)
                offset = WriteEntry(json, name, tensors[name], offset);
            json.WriteEndObject();
        }

        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');
        byte[] result = new byte[8 + header.Length + names.Sum(n => (long)tensors[n].Bytes.Length)];
        BinaryPrimitives.WriteInt64LittleEndian(result, header.Length);
        header.GetBuffer().AsSpan(0, (int)header.Length).CopyTo(result.AsSpan(8));
        int at = 8 + (int)header.Length;
        foreach (string name in names)
        {
            tensors[name].Bytes.CopyTo(result, at);
            at += tensors[name].Bytes.Length;
        }

        return result;
    }

    /// <summary>Reads a whole file; throws <see cref="DataException"/> where it is not well formed.</summary>
    public static (Dictionary<string, HostTensor> Tensors, Dictionary<string, string> Metadata) Read(byte[] bytes)
    {
        try
        {
            int length = checked((int)BinaryPrimitives.ReadInt64LittleEndian(bytes));
            using JsonDocument header = JsonDocument.Parse(bytes.AsMemory(8, length),
                new JsonDocumentOptions { AllowDuplicateProperties = false });
            Dictionary<string, HostTensor> tensors = new(StringComparer.Ordinal);
            Dictionary<string, string> metadata = new(StringComparer.Ordinal);
            foreach (JsonProperty entry in header.RootElement.EnumerateObject())
            {
                if (entry.Name == "__metadata__")
                {
                    foreach (JsonProperty m in entry.Value.EnumerateObject())
                        metadata[m.Name] = m.Value.GetString() ?? throw new FormatException($"__metadata__ {m.Name} has no text");
                    continue;
                }

                int from = entry.Value.GetProperty("data_offsets")[0].GetInt32();
                int to = entry.Value.GetProperty("data_offsets")[1].GetInt32();
                long[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];
                string type = entry.Value.GetProperty("dtype").GetString() ?? throw new FormatException($"{entry.Name} has no dtype");
                int size = type switch
                {
                    "F32" => sizeof(float),
                    "F64" => sizeof(double),
                    _ => throw new FormatException($"{entry.Name} is of {type}; this product writes F32 and F64")
                };
                if (from < 0 || shape.Any(d => d < 0) || checked(shape.Aggregate((long)size, (all, d) => all * d)) != to - from)
                    throw new FormatException($"{entry.Name} of {type} [{string.Join(", ", shape)}] does not fill the " +
                        $"bytes {from} to {to}");
                tensors[entry.Name] = new(type, shape, bytes[checked(8 + length + from)..checked(8 + length + to)]);
            }

            return (tensors, metadata);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or OverflowException or KeyNotFoundException
            or InvalidOperationException or IndexOutOfRangeException or FormatException)
        {
            throw new DataException($"not a safetensors file: {e.Message}", e);
        }
    }

    private static long WriteEntry(Utf8JsonWriter json, string name, HostTensor tensor, long offset)
    {
        json.WriteStartObject(name);
        json.WriteString("dtype", tensor.Type);
        json.WriteStartArray("shape");
        foreach (long d in tensor.Shape)
            json.WriteNumberValue(d);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(offset + tensor.Bytes.Length);
        json.WriteEndArray();
        json.WriteEndObject();
        return offset + tensor.Bytes.Length;
    }
}
