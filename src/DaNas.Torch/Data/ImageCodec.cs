using DaNas.Ports;
using SkiaSharp;

namespace DaNas.Torch.Data;

/// <summary>Pictures through SkiaSharp, to interleaved 8-bit RGB. What is transparent shows black.</summary>
public static class ImageCodec
{
    private const long MaximumPixels = 200_000_000;

    /// <summary>Which decoder this is; part of the numerics profile.</summary>
    public static string Version { get; } = $"skia {typeof(SKCodec).Assembly.GetName().Version?.ToString(2)}";

    /// <summary>
    /// Interleaved RGB [height, width, 3]. A picture that is cut off, or that is no JPEG or PNG, throws <see cref="DataException"/> with its name. Flipped bits inside a JPEG are not seen: a content
    /// hash of the data set finds them.
    /// </summary>
    public static (byte[] Rgb, int Width, int Height) Decode(byte[] encoded, string name)
    {
        using SKMemoryStream data = new(encoded);
        using SKCodec codec = SKCodec.Create(data, out SKCodecResult result);
        if (result != SKCodecResult.Success)
            throw Broken(name, result == SKCodecResult.IncompleteInput ? "its end is missing" : "it is neither a JPEG nor a PNG file");
        if (codec.EncodedFormat is not (SKEncodedImageFormat.Jpeg or SKEncodedImageFormat.Png))
            throw Broken(name, "it is neither a JPEG nor a PNG file");
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        if (width < 1 || height < 1 || (long)width * height > MaximumPixels)
            throw new DataException($"{name}: a picture of {width}x{height} is out of bounds ({MaximumPixels} pixels at most); replace it, or set data.on-bad-image = skip");
        bool opaque = codec.Info.AlphaType == SKAlphaType.Opaque;
        SKImageInfo target = new(width, height, SKColorType.Rgba8888, opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        byte[] rgba = new byte[target.BytesSize];
        unsafe
        {
            fixed (byte* pixels = rgba)
                result = codec.GetPixels(target, (IntPtr)pixels);
        }

        return result == SKCodecResult.Success
            ? (ToRgb(rgba, opaque, checked(width * height * 3)), width, height)
            : throw Broken(name, result == SKCodecResult.IncompleteInput ? "its end is missing" : $"it cannot be decoded ({result})");
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

    private static DataException Broken(string name, string why) => new($"{name} is broken: {why}; replace it, or set data.on-bad-image = skip");
}
