using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Ports;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch.Data;
using Spectre.Console;

namespace DaNas.Cli.Verbs;

/// <summary>data show: one image as training sees it, before it is cropped and resized.</summary>
internal static class DataShow
{
    /// <summary>Values of the JSON output: 1,024 pixels.</summary>
    private const int Values = 3 * 1024;

    /// <summary>Columns of the image in the terminal; a pixel takes two.</summary>
    private const int Columns = 40;

    public static Command Show()
    {
        Argument<string> file = Shared.Argument<string>("FILE", "An image: JPEG, PNG, WebP, BMP or GIF (its first frame).");
        Option<bool> upright = Shared.Option<bool>("--upright",
            "Rotates the image according to its EXIF orientation, as with data.exif-orientation = true.");
        Option<bool> json = Shared.Json();
        Command command = new("show", "Shows one image as training sees it; --json prints width, height, channels and the first 1,024 " +
            "pixels, row by row, channel last, 0 to 255.") { file, upright, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string path = parsed.GetValue(file)!;
            (byte[] rgb, int width, int height) = ImageCodec.Decode(Read(path), path, parsed.GetValue(upright));
            if (parsed.GetValue(json))
                Output.PrintJson("data-show", new { width, height, channels = 3, pixels = rgb.Take(Values).Select(v => (int)v) });
            else
                Draw(rgb, width, height);
            return ExitCode.Done;
        }));
        return command;
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message}", e);
        }
    }

    private static void Draw(byte[] rgb, int width, int height)
    {
        double scale = Math.Max(1, Math.Max(width, height) / (double)Columns);
        Canvas canvas = new(Math.Max(1, (int)(width / scale)), Math.Max(1, (int)(height / scale))) { Scale = false };
        for (int y = 0; y < canvas.Height; y++)
        {
            for (int x = 0; x < canvas.Width; x++)
                canvas.SetPixel(x, y, Mean(rgb, (width, height), ((int)(x * scale), (int)(y * scale)), (int)scale));
        }

        AnsiConsole.Write(canvas);
        Output.PrintText(Invariant($"{width} x {height} pixels"));
    }

    private static Color Mean(byte[] rgb, (int Width, int Height) size, (int X, int Y) from, int side)
    {
        Span<long> sum = stackalloc long[3];
        long count = 0;
        for (int y = from.Y; y < Math.Min(size.Height, from.Y + side); y++)
        {
            for (int x = from.X; x < Math.Min(size.Width, from.X + side); x++, count++)
            {
                for (int c = 0; c < 3; c++)
                    sum[c] += rgb[(((y * size.Width) + x) * 3) + c];
            }
        }

        return new Color((byte)(sum[0] / count), (byte)(sum[1] / count), (byte)(sum[2] / count));
    }
}
