#nullable enable
using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;

namespace DaNas.Torch.Build;

/// <summary>
/// Copies a shared library and marks one of the symbol versions that it asks for as weak. TorchSharp 0.107's library asks for
/// GLIBCXX_3.4.32, which the libstdc++ of Debian 12, Ubuntu 22.04 and RHEL 9 lacks, for the sake of one symbol that has no relocation and
/// is never called. With the mark (vna_flags |= VER_FLG_WEAK in .gnu.version_r, two bytes) the loader goes on without it. MSBuild compiles
/// this file when a build needs it, against .NET Standard 2.0.
/// </summary>
public sealed class WeakVersionNeed : Microsoft.Build.Utilities.Task
{
    private const uint VersionNeedSection = 0x6ffffffe;
    private const ushort Weak = 2;

    [Required]
    public string Source { get; set; } = string.Empty;

    [Required]
    public string Destination { get; set; } = string.Empty;

    [Required]
    public string Version { get; set; } = string.Empty;

    public override bool Execute()
    {
        byte[] file = File.ReadAllBytes(Source);
        string? why = Mark(file, Version);
        if (why != null)
            Log.LogMessage(MessageImportance.High, $"{Source}: {why}; it is left as published");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Destination))!);
        string aside = $"{Destination}.{Guid.NewGuid():N}";
        File.WriteAllBytes(aside, file);
        if (File.Exists(Destination))
            File.Replace(aside, Destination, null); // Projects build side by side: whoever loads it sees it whole.
        else
            File.Move(aside, Destination);
        return true;
    }

    /// <summary>
    /// Marks the version in the file's bytes. Null where that was done, or had been; otherwise why the bytes were left alone.
    /// </summary>
    public static string? Mark(byte[] file, string version)
    {
        try
        {
            string? why = Find(file, version, out int at);
            if (why != null)
                return why;
            ushort flags = BitConverter.ToUInt16(file, at);
            if ((flags & ~Weak) != 0)
                return $"the version has flags {flags} that are not known here";
            file[at] |= (byte)Weak;
            return null;
        }
        catch (Exception e) when (e is ArgumentException || e is IndexOutOfRangeException || e is OverflowException)
        {
            return "its sections do not lie inside the file";
        }
    }

    /// <summary>
    /// The offset of vna_flags of the one entry of that name (System V ABI, symbol versioning: Elf64_Verneed and Elf64_Vernaux).
    /// </summary>
    private static string? Find(byte[] file, string version, out int flags)
    {
        flags = 0;
        if (file.Length < 64 || BitConverter.ToUInt32(file, 0) != 0x464c457f || file[4] != 2 || file[5] != 1)
            return "it is no ELF file of 64 bits, little-endian";
        int table = checked((int)BitConverter.ToInt64(file, 40));
        int size = BitConverter.ToUInt16(file, 58);
        int found = 0;
        for (int i = 0; i < BitConverter.ToUInt16(file, 60); i++)
        {
            int section = table + (i * size);
            if (BitConverter.ToUInt32(file, section + 4) != VersionNeedSection)
                continue;
            int need = checked((int)BitConverter.ToInt64(file, section + 24));
            int names = checked((int)BitConverter.ToInt64(file, table + (BitConverter.ToInt32(file, section + 40) * size) + 24));
            for (int needs = BitConverter.ToInt32(file, section + 44); needs > 0; needs--)
            {
                int entry = need + BitConverter.ToInt32(file, need + 8);
                for (int entries = BitConverter.ToUInt16(file, need + 2); entries > 0; entries--)
                {
                    int name = names + BitConverter.ToInt32(file, entry + 8);
                    if (Encoding.ASCII.GetString(file, name, Array.IndexOf(file, (byte)0, name) - name) == version)
                    {
                        flags = entry + 4;
                        found++;
                    }

                    entry += BitConverter.ToInt32(file, entry + 12);
                }

                need += BitConverter.ToInt32(file, need + 12);
            }
        }

        return found == 1 ? null : $"it asks {found} times for {version}";
    }
}
