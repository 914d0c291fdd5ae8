using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>Images in files of their own, decoded by SkiaSharp.</summary>
public abstract class FileBackedSource(string name, string root, ValueList<string> classes) : ImageSource(name, classes)
{
    protected string Root => root;

    /// <summary>Whether images are turned as their EXIF orientation says (data.exif-orientation).</summary>
    public bool Upright { get; init; }

    public string FileOf(ImageEntry entry) => System.IO.Path.Combine(root, entry.Name);

    public override byte[] Encoded(ImageEntry entry)
    {
        string file = FileOf(entry);
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{file} cannot be read: {e.Message}", e);
        }
    }

    public override void Decode(ImageEntry entry, Span<byte> pixels, int channels, int size)
    {
        (byte[] rgb, int width, int height) = ImageCodec.Decode(Encoded(entry), FileOf(entry), Upright);
        Pixels.Resize(rgb, (width, height, 3), pixels, channels, size);
    }
}
