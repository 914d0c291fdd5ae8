using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DaNas.Torch.Build;

namespace DaNas.Torch.Tests;

/// <summary>The build's own copy of TorchSharp's library, beside the one that was published.</summary>
public sealed class WeakVersionNeedTests
{
    private const string Version = "GLIBCXX_3.4.32";

    private static string Marked =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, (string)AppContext.GetData("DaNas.Torch.Folder")!, "libLibTorchSharp.so"));

    /// <summary>The package's, as the restore unpacked it.</summary>
    private static string Published => Path.Combine(
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages"),
        "torchsharp", "0.107.0", "runtimes", "linux-x64", "native", "libLibTorchSharp.so");

    [Fact]
    public void Nothing_but_the_flags_of_one_version_need_differs_from_what_was_published()
    {
        byte[] before = File.ReadAllBytes(Published), after = File.ReadAllBytes(Marked);
        after.Length.ShouldBe(before.Length);
        int[] changed = [.. Enumerable.Range(0, before.Length).Where(i => before[i] != after[i])];
        changed.Length.ShouldBe(1);
        (before[changed[0]], after[changed[0]]).ShouldBe(((byte)0, (byte)2)); // VER_FLG_WEAK, the lower byte of two.
        WeakVersionNeed.Mark(before, Version).ShouldBeNull();
        before.ShouldBe(after);
    }

    /// <summary>By the content that NuGet recorded: no build may write into the package cache.</summary>
    [Fact]
    public void The_package_cache_is_as_it_was_published()
    {
        string package = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Published)!, "..", "..", "..", "torchsharp.0.107.0.nupkg"));
        using System.IO.Compression.ZipArchive archive = System.IO.Compression.ZipFile.OpenRead(package);
        using Stream original = archive.GetEntry("runtimes/linux-x64/native/libLibTorchSharp.so")!.Open();
        SHA256.HashData(File.ReadAllBytes(Published)).ShouldBe(SHA256.HashData(original));
    }

    [OlderLibstdcFact]
    public void It_loads_where_the_published_one_does_not()
    {
        TorchBinding.Prepare(1); // libtorch is there.
        Should.Throw<DllNotFoundException>(() => NativeLibrary.Load(Published)).Message.ShouldContain(Version);
        NativeLibrary.Load(Marked).ShouldNotBe(IntPtr.Zero);
    }

    [Fact]
    public void A_file_that_is_not_as_expected_is_left_alone_and_said()
    {
        byte[] text = "no library at all, but longer than the header of an ELF file would have to be"u8.ToArray();
        Left(text).ShouldContain("no ELF file");
        byte[] library = File.ReadAllBytes(Published);
        WeakVersionNeed.Mark([.. library], "GLIBCXX_9.9").ShouldBe("it asks 0 times for GLIBCXX_9.9");
        Left(library[..5000]).ShouldContain("do not lie inside");
        byte[] odd = [.. library];
        WeakVersionNeed.Mark(odd, Version).ShouldBeNull();
        int at = Enumerable.Range(0, odd.Length).Single(i => odd[i] != library[i]);
        odd[at] = 4;
        Left(odd).ShouldContain("flags 4");
    }

    private static string Left(byte[] bytes)
    {
        byte[] copy = [.. bytes];
        string why = WeakVersionNeed.Mark(copy, Version).ShouldNotBeNull();
        copy.ShouldBe(bytes);
        return why;
    }

    /// <summary>A fact that needs a libstdc++ older than GCC 13's.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class OlderLibstdcFactAttribute : FactAttribute
    {
        public OlderLibstdcFactAttribute()
        {
            string[] there = [.. new[] { "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/lib64/libstdc++.so.6",
                "/usr/lib64/libstdc++.so.6" }.Where(File.Exists)];
            if (there.Length == 0 || File.ReadAllBytes(there[0]).AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(Version)) >= 0)
                Skip = $"this machine's libstdc++ has {Version}: the published library loads here";
        }
    }
}
