using DaNas.Torch.Data;

namespace DaNas.Torch.Tests;

/// <summary>The operations of RandAugment one by one, on images of which the answer can be counted by hand.</summary>
public sealed class RandAugmentTests
{
    private const int Side = 5;

    /// <summary>Values 0, 10, ... 240, row by row.</summary>
    private static readonly byte[] Ramp = [.. Enumerable.Range(0, Side * Side).Select(i => (byte)(10 * i))];

    [Fact]
    public void The_first_operation_is_the_identity() => After(0, 1).ShouldBe(Ramp);

    [Fact]
    public void Auto_contrast_stretches_a_channel_to_its_ends()
    {
        byte[] narrow = [.. Ramp.Select(v => (byte)(100 + (v / 10)))];
        After(1, 1, narrow).ShouldBe([.. Enumerable.Range(0, 25).Select(i => (byte)Math.Round(i * 255 / 24.0))]);
        After(1, 1, Flat(7)).ShouldBe(Flat(7));
    }

    [Fact]
    public void Equalisation_gives_every_value_its_share_of_the_range()
    {
        // Three values, 5, 10 and 10 times: what is less or equal, less the first value's own, over the rest.
        byte[] image = [.. Enumerable.Range(0, 25).Select(i => i < 5 ? (byte)3 : i < 15 ? (byte)4 : (byte)200)];
        After(2, 1, image).ShouldBe([.. image.Select(v => v == 3 ? (byte)0 : v == 4 ? (byte)128 : (byte)255)]);
        After(2, 1, Flat(7)).ShouldBe(Flat(7));
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(-1.0)]
    public void Rotation_keeps_the_centre_and_three_of_thirty_degrees_are_a_right_angle(double m)
    {
        byte[] turned = [.. Ramp];
        for (int k = 0; k < 3; k++)
            turned = After(3, m / 3, turned); // 10 degrees each: less than a pixel near the centre.
        turned[12].ShouldBe(Ramp[12]);
        byte[] right = After(3, 3 * m);
        right.ShouldBe([.. Enumerable.Range(0, 25).Select(i => (X: i % 5, Y: i / 5))
            .Select(p => m > 0 ? Ramp[(p.X * 5) + (4 - p.Y)] : Ramp[((4 - p.X) * 5) + p.Y])]);
    }

    [Fact]
    public void Solarisation_inverts_what_is_over_the_threshold() =>
        After(4, 0.5).ShouldBe([.. Ramp.Select(v => v >= 128 ? (byte)(255 - v) : v)]);

    [Fact]
    public void Colour_goes_to_grey_and_away_from_it()
    {
        byte[] red = [.. Flat(200), .. Flat(0), .. Flat(0)]; // Luma 59.8, rounded 60.
        byte[] paler = [.. red];
        RandAugment.Run(paler, 3, 5, -1);
        paler.ShouldBe([.. Flat(74), .. Flat(54), .. Flat(54)]); // 60 + 140 x 0.1, 60 - 60 x 0.1.
        After(5, -1).ShouldBe(Ramp); // One channel has no colour.
    }

    [Fact]
    public void Posterisation_keeps_the_upper_bits()
    {
        After(6, 1).ShouldBe([.. Ramp.Select(v => (byte)(v & 0xF0))]);
        After(6, 0).ShouldBe(Ramp);
    }

    [Fact]
    public void Contrast_turns_about_the_mean_and_brightness_about_black()
    {
        After(7, -1).ShouldBe([.. Ramp.Select(v => (byte)Math.Round(120 + ((v - 120) * 0.1)))]);
        After(8, -1).ShouldBe([.. Ramp.Select(v => (byte)Math.Round(v * 0.1))]);
        After(8, 1)[24].ShouldBe((byte)255);
    }

    [Fact]
    public void Sharpness_leaves_the_border_and_what_is_smooth()
    {
        byte[] dot = Flat(0);
        dot[12] = 90;
        byte[] blurred = After(9, -1, dot);
        blurred[12].ShouldBe((byte)18); // 10 + 80 x 0.1: the mean of nine is 10.
        blurred[6].ShouldBe((byte)9); // Its neighbour: 10 + (0 - 10) x 0.1.
        blurred[0].ShouldBe((byte)0);
        After(9, 1, Flat(9)).ShouldBe(Flat(9));
    }

    [Fact]
    public void Shears_and_translations_move_rows_and_columns_and_fill_with_grey()
    {
        After(10, 1)[..5].ShouldBe([128, 0, 10, 20, 30]); // Two rows over the centre: 0.6 of a pixel, rounded to one.
        After(11, 1)[0].ShouldBe((byte)128);
        After(12, 0.6)[..5].ShouldBe([10, 20, 30, 40, 128]); // A fifth of the side: one pixel.
        After(13, 0.6)[20..].ShouldBe(new byte[] { 128, 128, 128, 128, 128 });
        After(13, -0.6)[5..10].ShouldBe(Ramp[..5]);
    }

    private static byte[] Flat(byte value) => [.. Enumerable.Repeat(value, Side * Side)];

    private static byte[] After(int operation, double m, byte[]? image = null)
    {
        byte[] pixels = [.. image ?? Ramp];
        RandAugment.Run(pixels, 1, operation, m);
        return pixels;
    }
}
