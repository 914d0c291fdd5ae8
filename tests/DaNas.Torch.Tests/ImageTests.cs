using System.Buffers.Binary;
using System.IO.Compression;
using DaNas.Domain.Ports;
using DaNas.Torch.Data;
using SkiaSharp;

namespace DaNas.Torch.Tests;

/// <summary>
/// What images of real data sets are: the forms that decode with the values that they must give, what is damage and what is not.
/// </summary>
public sealed class ImageTests
{
    /// <summary>8 x 8 pixels of one colour, baseline.</summary>
    private const string Grey =
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAj/wAARCAAI" +
        "AAgDAREAAhEAAxEA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACAAMAAD8AwwH/2Q==";

    /// <summary>16 x 16 pixels in four squares of 40, 90, 150, 200, with an EXIF orientation in byte 31.</summary>
    private const string Corners = "/9j/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC" +
        "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAj/wAARCAAQABADAREAAhEAAxEA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAFBABAAAAAAAAA" +
        "AAAAAAAAAAAAP/aAAwDAQACAAMAAD8A8nAdkA7wB2QD/9k=";

    /// <summary>
    /// Four components: C, M, Y, K stored as Adobe stores them, 255 less the ink; red is C K / 255. Without Adobe's marker the same is
    /// assumed, as by Pillow and libvips. YCCK is the same after a turn to YCbCr.
    /// </summary>
    [Theory]
    // 40, 200, 200, 255
    [InlineData("/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI/8AA" +
        "FAgACAAIBAERAAIRAAMRAAQRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBAEAAgADA" +
        "AQAAD8A8nekPSHv7//Z", 40, 200)]
    // 215, 55, 55, 0
    [InlineData("/9j/2wBDAAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAj/wAAUCAAIAAgEAREAAhEAAxEA" +
        "BBEA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EAQACAAMABAAAPwD1d5s82fP7/9k=", 0, 0)]
    // (255 - 200) 200 / 255
    [InlineData(
        "/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI/8AAFAgACAAI" +
        "BAERAAIRAAMRAAQRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBAEAAgADAAQAAD8A9IAekP/Z", 43, 43)]
    public void Jpegs_of_four_components_decode(string jpeg, int red, int green)
    {
        byte[] rgb = Decode(Convert.FromBase64String(jpeg));
        rgb.Length.ShouldBe(8 * 8 * 3);
        rgb.Chunk(3).ShouldAllBe(p => Math.Abs(p[0] - red) <= 1 && Math.Abs(p[1] - green) <= 1 && Math.Abs(p[2] - green) <= 1);
    }

    [Theory]
    [InlineData("bytes between markers")]
    [InlineData("a later revision of JFIF")]
    [InlineData("an unknown transform of Adobe's")]
    [InlineData("bytes after the end")]
    public void A_remark_about_a_whole_jpeg_is_no_damage(string remark)
    {
        byte[] jpeg = Convert.FromBase64String(Grey);
        byte[] odd = remark switch
        {
            "bytes between markers" => [.. jpeg[..20], 0, 0, 0, .. jpeg[20..]],
            "a later revision of JFIF" => [.. jpeg[..11], 3, .. jpeg[12..]],
            "an unknown transform of Adobe's" => [.. jpeg[..2], 0xFF, 0xEE, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 7, .. jpeg[20..]],
            _ => [.. jpeg, 1, 2, 3],
        };
        Decode(odd).ShouldAllBe(v => v == 100);
    }

    [Theory]
    [InlineData("cut", "the file is truncated")]
    [InlineData("empty", "the file is truncated")]
    [InlineData("zeros", "not a JPEG, PNG")]
    [InlineData("a page", "not a JPEG, PNG")]
    [InlineData("TIFF", "not a JPEG, PNG")]
    public void Damage_is_said_with_the_files_name(string damage, string why)
    {
        byte[] bytes = damage switch
        {
            "cut" => Convert.FromBase64String(Grey)[..^8],
            "empty" => [],
            "zeros" => new byte[4096],
            "a page" => [.. "<!DOCTYPE html><html><body>404 Not Found</body></html>"u8],
            _ => [.. "II*\0\u0008\0\0\0"u8, .. new byte[64]],
        };
        string message = Should.Throw<DataException>(() => Decode(bytes)).Message;
        message.ShouldStartWith("x.jpg is broken: ");
        message.ShouldContain(why);
    }

    /// <summary>
    /// Colour types of PNG (grey 0, RGB 2, palette 3, grey with alpha 4, RGBA 6) at 8 and 16 bits: equal values. What is transparent shows
    /// black.
    /// </summary>
    [Theory]
    [InlineData(0, 8, new[] { 0, 200 }, new[] { 0, 0, 0, 200, 200, 200 })]
    [InlineData(0, 16, new[] { 0, 200 }, new[] { 0, 0, 0, 200, 200, 200 })]
    [InlineData(2, 8, new[] { 1, 2, 3, 200, 100, 50 }, new[] { 1, 2, 3, 200, 100, 50 })]
    [InlineData(2, 16, new[] { 1, 2, 3, 200, 100, 50 }, new[] { 1, 2, 3, 200, 100, 50 })]
    [InlineData(3, 8, new[] { 1, 0 }, new[] { 200, 100, 50, 10, 20, 30 })]
    [InlineData(4, 8, new[] { 200, 255, 200, 128 }, new[] { 200, 200, 200, 100, 100, 100 })]
    [InlineData(6, 8, new[] { 200, 100, 50, 0, 200, 100, 50, 128 }, new[] { 0, 0, 0, 100, 50, 25 })]
    [InlineData(6, 16, new[] { 200, 100, 50, 0, 200, 100, 50, 128 }, new[] { 0, 0, 0, 100, 50, 25 })]
    public void Every_kind_of_png_gives_its_values(int colour, int depth, int[] samples, int[] expected) =>
        Decode(Png(colour, depth, samples)).Select(v => (int)v).ShouldBe(expected);

    [Fact]
    public void The_first_frame_of_a_gif_a_bitmap_and_a_webp_decode()
    {
        Decode(Convert.FromBase64String("R0lGODlhAQABAIAAAAoUHshkMiwAAAAAAQABAAACAkQBACwAAAAAAQABAAACAkwBADs="))
            .ShouldBe((byte[])[10, 20, 30]);
        Decode([.. "BM"u8, 62, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0, .. new byte[24], 50, 0,
            200, 50, 100, 200, 0, 0]).ShouldBe((byte[])[200, 0, 50, 200, 100, 50]);
        using SKBitmap bitmap = new(2, 1);
        bitmap.SetPixel(0, 0, new SKColor(200, 100, 50));
        bitmap.SetPixel(1, 0, new SKColor(1, 2, 3));
        using SKPixmap pixels = bitmap.PeekPixels();
        using SKData webp = pixels.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 100))!;
        Decode(webp.ToArray()).ShouldBe((byte[])[200, 100, 50, 1, 2, 3]);
    }

    [Fact]
    public void A_progressive_jpeg_and_an_interlaced_png_give_every_pixel()
    {
        byte[] jpeg = Decode(Convert.FromBase64String("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ" +
            "EBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wgALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAACQj/2gAIAQEAAAABH1AIfQD/xAAWEAADAAAAAAAAAA" +
            "AAAAAAAAAAAwb/2gAIAQEAAQUCm1k2sm1k2s//xAAWEAADAAAAAAAAAAAAAAAAAAAAAoH/2gAIAQEABj8CSCQSCQ//xAAVEAEBAAAAAAAAAAAAAAAAAAAAUf/aAA" +
            "gBAQABPyGcnJyc/9oACAEBAAAAEA//xAAWEAADAAAAAAAAAAAAAAAAAAAAceH/2gAIAQEAAT8QhUQqIVEKj//Z"));
        jpeg.Chunk(3).Select(p => (int)p[0]).ShouldBe(Pixels(16).Select(p => (p.X * 8) + p.Y));
        byte[] png = Decode(Convert.FromBase64String(
            "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAAE8ahlKAAAA2klEQVR42gHPADD/AAD/AABAvwAABPsARLsQACDfAGCfAAAk2whkmxgAAv0AIt0EQr0IYp0MAAb5" +
            "ACbZDEa5GGaZJAAQ7wAwzwBQrwBwjwAAEu0CMs0GUq0Kco0OABTrBDTLDFSrFHSLHAAW6QY2yRJWqR52iSoAAf4AEe4BId4CMc4DQb4EUa4FYZ4GcY4HAAP8ABPs" +
            "AyPcBjPMCUO8DFOsD2OcEnOMFQAF+gAV6gUl2go1yg9FuhRVqhllmh51iiMAB/gAF+gHJ9gON8gVR7gcV6gjZ5gqd4gxJYxC0dSMdloAAAAASUVORK5CYII="));
        png.ShouldBe(Pixels(8).SelectMany(p => new[] { (byte)((p.X * 16) + p.Y), (byte)(255 - (p.X * 16) - p.Y), (byte)(p.X * p.Y) }));

        static IEnumerable<(int X, int Y)> Pixels(int side) => Enumerable.Range(0, side * side).Select(i => (i % side, i / side));
    }

    /// <summary>
    /// As stored by default, as torchvision's ImageFolder has it. Upright: the colours of the four corners, row by row (EXIF 2.32, table
    /// 6).
    /// </summary>
    [Theory]
    [InlineData(1, new[] { 40, 90, 150, 200 })]
    [InlineData(2, new[] { 90, 40, 200, 150 })]
    [InlineData(3, new[] { 200, 150, 90, 40 })]
    [InlineData(4, new[] { 150, 200, 40, 90 })]
    [InlineData(5, new[] { 40, 150, 90, 200 })]
    [InlineData(6, new[] { 150, 40, 200, 90 })]
    [InlineData(7, new[] { 200, 90, 150, 40 })]
    [InlineData(8, new[] { 90, 200, 40, 150 })]
    public void A_picture_is_turned_as_its_orientation_says_where_that_is_asked_for(int orientation, int[] corners)
    {
        byte[] jpeg = Convert.FromBase64String(Corners);
        jpeg[31] = (byte)orientation;
        Of(ImageCodec.Decode(jpeg, "x.jpg", upright: true)).ShouldBe(corners);
        Of(ImageCodec.Decode(jpeg, "x.jpg")).ShouldBe([40, 90, 150, 200]);

        static int[] Of((byte[] Rgb, int Width, int Height) image) => [.. ((int[])[0, image.Width - 1, image.Width * (image.Height - 1),
            (image.Width * image.Height) - 1]).Select(p => (int)image.Rgb[3 * p])];
    }

    private static byte[] Decode(byte[] bytes) => ImageCodec.Decode(bytes, "x.jpg").Rgb;

    /// <summary>One row of two pixels, samples of 0 to 255, at 16 bits times 257.</summary>
    private static byte[] Png(int colour, int depth, int[] samples)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, 2);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), 1);
        (header[8], header[9]) = ((byte)depth, (byte)colour);
        using MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Fastest, true))
            zlib.Write([0, .. samples.SelectMany(s => depth == 16 ? (byte[])[(byte)s, (byte)s] : [(byte)s])]);
        byte[] palette = colour == 3 ? Chunk("PLTE", [10, 20, 30, 200, 100, 50]) : [];
        return [137, 80, 78, 71, 13, 10, 26, 10, .. Chunk("IHDR", header), .. palette,
            .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string name, byte[] data)
    {
        byte[] body = [.. System.Text.Encoding.ASCII.GetBytes(name), .. data];
        byte[] chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        body.CopyTo(chunk, 4);
        uint crc = ~0u;
        foreach (byte b in body)
        {
            crc ^= b;
            for (int k = 0; k < 8; k++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }

        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(body.Length + 4), ~crc);
        return chunk;
    }
}
