using System.Globalization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// Images that the program draws itself, with known difficulty: a shape and a fill a class, random place, size, angle and colours.
/// The class's knob d in [0, 1] sets noise (sigma 0.03 + 0.27 d), contrast (1 - 0.6 d) and how far the shape is bent towards its sibling's.
/// </summary>
public sealed class DrawnSource : ImageSource
{
    private const int Version = 1;
    private const int Shapes = 10;
    private static readonly int[] Strides = [7, 5, 3, 11, 1];

    private readonly DrawnOptions options;
    private readonly long seed;

    public DrawnSource(DrawnOptions options, long seed)
        : base("drawn", Names(options))
    {
        this.options = options;
        this.seed = SeededRandom.Derive(seed, "drawn");
        Train = Entries("train", options.TrainPerClass);
        Test = Entries("test", options.TestPerClass);
    }

    public override Digest Fingerprint => Digest.Of(string.Create(
        CultureInfo.InvariantCulture, $"drawn/{Version} {options.Classes} {options.TrainPerClass} {options.TestPerClass} " +
            $"{options.Easiest} {options.Hardest} {seed}"));

    /// <summary>The difficulty knob of a class: evenly spaced from easiest to hardest, in an order unlike the class numbers.</summary>
    public static double Knob(DrawnOptions options, int c)
    {
        int stride = Strides.First(k => System.Numerics.BigInteger.GreatestCommonDivisor(k, options.Classes) == 1);
        int rank = c * stride % options.Classes;
        return options.Easiest + ((options.Hardest - options.Easiest) * rank / Math.Max(1, options.Classes - 1));
    }

    public override void Decode(ImageEntry entry, Span<byte> pixels, int channels, int size)
    {
        SeededRandom random = new(SeededRandom.Derive(seed, entry.Name));
        Scene scene = Scene.Draw(entry.Class, Knob(options, entry.Class), channels, random);
        int plane = size * size;
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                double ink = scene.Ink(((x + 0.5) / size * 2) - 1, ((y + 0.5) / size * 2) - 1);
                for (int c = 0; c < channels; c++)
                {
                    double value = scene.Paper[c] + (ink * (scene.Pen[c] - scene.Paper[c])) + (scene.Noise * random.NextGaussian());
                    pixels[(c * plane) + (y * size) + x] = (byte)Math.Clamp(Math.Round(value * 255), 0, 255);
                }
            }
        }
    }

    private static List<ImageEntry> List(int classes, int each, string split) =>
        [.. from c in Enumerable.Range(0, classes) from i in Enumerable.Range(0, each) select new ImageEntry(c, $"{split}/{c}/{i}", 0)];

    private static ValueList<string> Names(DrawnOptions o)
    {
        string[] shapes = ["disc", "square", "triangle", "cross", "ring", "bar", "diamond", "frame", "moon", "star"];
        string[] fills = ["plain", "striped", "dotted", "checked"];
        return Enumerable.Range(0, o.Classes).Select(c => $"{fills[c / Shapes % 4]}-{shapes[c % Shapes]}").ToValueList();
    }

    private List<ImageEntry> Entries(string split, int each) => List(options.Classes, each, split);

    /// <summary>One image's geometry and colours, in coordinates from -1 to 1.</summary>
    private sealed record Scene(int Shape, int Fill, double Bend, double Cx, double Cy, double Radius, double Angle, double Noise,
        double[] Paper, double[] Pen)
    {
        public static Scene Draw(int c, double knob, int channels, SeededRandom random)
        {
            double contrast = 1 - (0.6 * knob);
            double[] paper = new double[channels];
            double[] pen = new double[channels];
            double sign = random.NextDouble() < 0.5 ? -1 : 1;
            for (int i = 0; i < channels; i++)
            {
                paper[i] = 0.5 - (sign * contrast * (0.15 + (0.25 * random.NextDouble())));
                pen[i] = 0.5 + (sign * contrast * (0.15 + (0.25 * random.NextDouble())));
            }

            return new Scene(
                c % Shapes,
                c / Shapes % 4,
                0.35 * knob * random.NextDouble(),
                (random.NextDouble() - 0.5) * 0.5,
                (random.NextDouble() - 0.5) * 0.5,
                0.45 + (0.3 * random.NextDouble()),
                (random.NextDouble() - 0.5) * 0.7,
                0.03 + (0.27 * knob),
                paper,
                pen);
        }

        /// <summary>1 inside the filled shape, 0 outside, smooth over about half a pixel.</summary>
        public double Ink(double x, double y)
        {
            double dx = (x - Cx) / Radius;
            double dy = (y - Cy) / Radius;
            double u = (dx * Math.Cos(Angle)) + (dy * Math.Sin(Angle));
            double v = (dy * Math.Cos(Angle)) - (dx * Math.Sin(Angle));
            double distance = ((1 - Bend) * Distance(Shape, u, v)) + (Bend * Distance(Shape ^ 1, u, v));
            double inside = Math.Clamp(0.5 - (distance * 8), 0, 1);
            return inside * Filling(u, v);
        }

        private double Filling(double u, double v) => Fill switch
        {
            1 => Math.Sin(u * 14) > 0 ? 1 : 0.15,
            2 => Math.Sin(u * 11) * Math.Sin(v * 11) > 0.3 ? 0.15 : 1,
            3 => (Math.Sin(u * 9) > 0) ^ (Math.Sin(v * 9) > 0) ? 1 : 0.15,
            _ => 1,
        };

        /// <summary>Negative inside, positive outside, about the distance to the outline.</summary>
        private static double Distance(int shape, double u, double v)
        {
            double r = Math.Sqrt((u * u) + (v * v));
            double box = Math.Max(Math.Abs(u), Math.Abs(v));
            return shape switch
            {
                0 => r - 0.85,
                1 => box - 0.75,
                2 => Math.Max(v - 0.6, (Math.Abs(u) * 0.9) - (v * 0.45) - 0.42),
                3 => Math.Max(box - 0.9, Math.Min(Math.Abs(u), Math.Abs(v)) - 0.25),
                4 => Math.Abs(r - 0.65) - 0.22,
                5 => Math.Max(Math.Abs(u) - 0.3, Math.Abs(v) - 0.95),
                6 => Math.Abs(u) + Math.Abs(v) - 0.95,
                7 => Math.Abs(box - 0.62) - 0.2,
                8 => Math.Max(r - 0.85, 0.62 - Math.Sqrt(((u - 0.4) * (u - 0.4)) + (v * v))),
                _ => r - 0.55 - (0.32 * Math.Cos(5 * Math.Atan2(v, u))),
            };
        }
    }
}
