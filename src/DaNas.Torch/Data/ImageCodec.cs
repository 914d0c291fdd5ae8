using DaNas.Domain.Ports;
using SkiaSharp;

namespace DaNas.Torch.Data;

/// <summary>Images through SkiaSharp, to interleaved 8-bit RGB. What is transparent shows black.</summary>
public static class ImageCodec
{
    private const long MaximumPixels = 200_000_000;

    private static readonly SKEncodedImageFormat[] Forms = [SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp,
        SKEncodedImageFormat.Bmp, SKEncodedImageFormat.Gif];

    /// <summary>Which decoder this is; part of the numerics profile.</summary>
    public static string Version { get; } = $"skia {typeof(SKCodec).Assembly.GetName().Version?.ToString(2)}";

    /// <summary>
    /// Interleaved RGB [height, width, 3]; of an animation the first frame. <paramref name="upright"/> turns and mirrors the image as its
    /// EXIF orientation says. An image that is cut off, or in none of the forms, throws <see cref="DataException"/> with its name. Flipped
    /// bits inside a JPEG are not seen: a content hash of the data set finds them.
    /// </summary>
    public static (byte[] Rgb, int Width, int Height) Decode(byte[] encoded, string name, bool upright = false)
    {
        using SKMemoryStream data = new(encoded);
        using SKCodec codec = Checked(SKCodec.Create(data, out SKCodecResult result), result, name);
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        bool opaque = codec.Info.AlphaType == SKAlphaType.Opaque;
        SKImageInfo target = new(width, height, SKColorType.Rgba8888, opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        byte[] rgba = new byte[target.BytesSize];
        unsafe
        {
            fixed (byte* pixels = rgba)
                result = codec.GetPixels(target, (IntPtr)pixels);
        }

        if (result != SKCodecResult.Success)
            throw Broken(name, result == SKCodecResult.IncompleteInput ? "the file is truncated" : $"it cannot be decoded ({result})");
        byte[] rgb = ToRgb(rgba, opaque, checked(width * height * 3));
        return upright ? Upright(rgb, width, height, codec.EncodedOrigin) : (rgb, width, height);
    }

    /// <summary>Reads a file's header alone: its form and size. Throws <see cref="DataException"/> as <see cref="Decode"/> does.</summary>
    public static (int Width, int Height) Header(string file)
    {
        try
        {
            File.OpenRead(file).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{file} cannot be read: {e.Message}", e);
        }

        using SKCodec codec = Checked(SKCodec.Create(file, out SKCodecResult result), result, file);
        return (codec.Info.Width, codec.Info.Height);
    }

    private static SKCodec Checked(SKCodec? codec, SKCodecResult result, string name)
    {
        if (codec is null || result != SKCodecResult.Success || !Forms.Contains(codec.EncodedFormat))
        {
            codec?.Dispose();
            throw Broken(name, result == SKCodecResult.IncompleteInput
                ? "the file is truncated" : "it is not a JPEG, PNG, WebP, BMP or GIF file");
        }

        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        if (width >= 1 && height >= 1 && (long)width * height <= MaximumPixels)
            return codec;
        codec.Dispose();
        throw new DataException($"{name}: an image of {width}x{height} is too large (at most {MaximumPixels} pixels); replace it, or set " +
            $"data.on-bad-image = skip");
    }

    /// <summary>EXIF 2.32, table 6: which corner of the image the first stored row and column are.</summary>
    private static (byte[] Rgb, int Width, int Height) Upright(byte[] stored, int width, int height, SKEncodedOrigin origin)
    {
        if (origin is SKEncodedOrigin.Default)
            return (stored, width, height);
        bool swapped = origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom
            or SKEncodedOrigin.LeftBottom;
        (int w, int h) = swapped ? (height, width) : (width, height);
        byte[] rgb = new byte[stored.Length];
        for (int y = 0; y < h; y++)
        {
            for (int x = 0; x < w; x++)
            {
                (int fromX, int fromY) = origin switch
                {
                    SKEncodedOrigin.TopRight => (w - 1 - x, y),
                    SKEncodedOrigin.BottomRight => (w - 1 - x, h - 1 - y),
                    SKEncodedOrigin.BottomLeft => (x, h - 1 - y),
                    SKEncodedOrigin.LeftTop => (y, x),
                    SKEncodedOrigin.RightTop => (y, w - 1 - x),
                    SKEncodedOrigin.RightBottom => (h - 1 - y, w - 1 - x),
                    _ => (h - 1 - y, x),
                };
                stored.AsSpan(((fromY * width) + fromX) * 3, 3).CopyTo(rgb.AsSpan(((y * w) + x) * 3));
            }
        }

        return (rgb, w, h);
    }

    /// <summary>Composited on black, c a / 255 rounded to the nearest; the decoder gives colours that are not multiplied yet.</summary>
    private static byte[] ToRgb(byte[] rgba, bool opaque, int length)
    {
        byte[] rgb = new byte[length];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            int alpha = opaque ? 255 : rgba[from + 3];
            for (int c = 0; c < 3; c++)
                rgb[to + c] = alpha == 255 ? rgba[from + c] : (byte)(((rgba[from + c] * alpha) + 127) / 255);
        }

        return rgb;
    }

    private static DataException Broken(string name, string why) =>
        new($"{name} is broken: {why}; replace it, or set data.on-bad-image = skip");
}
