using System.Reflection;
using System.Runtime.InteropServices;
using DaNas.Ports;

namespace DaNas.Torch.Data;

/// <summary>JPEG (libjpeg-turbo) and PNG (libpng) through a small native library of ours.</summary>
public static partial class ImageCodec
{
    private const string Library = "danas_image";
    private const long MaximumPixels = 200_000_000;

    static ImageCodec() => NativeLibrary.SetDllImportResolver(typeof(ImageCodec).Assembly, Resolve);

    /// <summary>Which decoder this is; part of the numerics profile.</summary>
    public static string Version
    {
        get
        {
            try
            {
                return Marshal.PtrToStringUTF8(danas_image_version()) ?? "unknown";
            }
            catch (DllNotFoundException)
            {
                return "none";
            }
        }
    }

    /// <summary>Interleaved RGB. A truncated or broken picture throws <see cref="DataException"/> with its name.</summary>
    public static (byte[] Rgb, int Width, int Height) Decode(byte[] encoded, string name)
    {
        if (danas_image_size(encoded, (nuint)encoded.Length, out int width, out int height) != 0)
            throw Broken(name);
        if (width < 1 || height < 1 || (long)width * height > MaximumPixels)
            throw new DataException($"{name}: a picture of {width}x{height} is out of bounds ({MaximumPixels} pixels at most); replace it, or set data.on-bad-image = skip");
        byte[] rgb = new byte[checked(width * height * 3)];
        return danas_image_decode(encoded, (nuint)encoded.Length, rgb, width, height) == 0 ? (rgb, width, height) : throw Broken(name);
    }

    private static DataException Broken(string name) =>
        new($"{name} is broken: {Marshal.PtrToStringUTF8(danas_image_error())}; replace it, or set data.on-bad-image = skip");

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
            return IntPtr.Zero;
        string folder = Environment.GetEnvironmentVariable("DANAS_NATIVE") ?? System.IO.Path.Combine(AppContext.BaseDirectory, "native");
        return NativeLibrary.TryLoad(System.IO.Path.Combine(folder, "libdanas_image.so"), out IntPtr handle)
            ? handle
            : throw new DllNotFoundException($"libdanas_image.so is missing in {folder}: run scripts/bootstrap.sh");
    }

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr danas_image_error();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr danas_image_version();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int danas_image_size(byte[] data, nuint size, out int width, out int height);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int danas_image_decode(byte[] data, nuint size, byte[] result, int width, int height);
}
