using System.Buffers.Binary;
using DaNas.Domain.Ports;
using DaNas.Torch.Data;

namespace DaNas.Torch.Tests;

/// <summary>How real data sets lie on disk: what is read, and that nothing is left out without a remark that names it.</summary>
public sealed class LayoutTests : IDisposable
{
    private const string OnePixelPng = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    private readonly string folder = Directory.CreateTempSubdirectory("danas-layout-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Theory]
    [InlineData("train", "test")]
    [InlineData("train", "val")]
    [InlineData("train", "valid")]
    [InlineData("train", "validation")]
    [InlineData("Training", "Testing")]
    public void The_usual_names_of_splits_are_known(string train, string test)
    {
        Files($"{train}/cat/1.png", $"{train}/dog/1.png", $"{test}/cat/2.png", $"{test}/dog/2.png");
        FolderSource source = new(folder);
        source.Train.Count.ShouldBe(2);
        source.Test.Select(e => e.Name).ShouldBe([$"{test}/cat/2.png", $"{test}/dog/2.png"]);
        source.Remarks.ShouldBeEmpty();
    }

    [Fact]
    public void Of_two_test_splits_the_first_is_read_and_the_other_one_named()
    {
        Files("train/cat/1.png", "train/dog/1.png", "valid/cat/2.png", "valid/dog/2.png", "test/cat/3.png",
            "test/dog/3.png", "notes/x.png");
        FolderSource source = new(folder);
        source.Test.Count.ShouldBe(2);
        source.Test[0].Name.ShouldStartWith("test/");
        source.Remarks.ShouldContain(r => r.Contains("valid/ is ignored: test/ is the test split", StringComparison.Ordinal));
        source.Remarks.ShouldContain(r => r.Contains("notes/ is ignored", StringComparison.Ordinal));
    }

    /// <summary>ImageNet's test images have no labels: the validation split is what can be measured on.</summary>
    [Fact]
    public void A_test_folder_without_classes_is_passed_over_by_name()
    {
        Files("train/cat/1.png", "train/dog/1.png", "val/cat/2.png", "val/dog/2.png", "test/3.png");
        FolderSource source = new(folder);
        source.Test[0].Name.ShouldStartWith("val/");
        source.Remarks.ShouldContain(r => r.Contains("test/ is ignored", StringComparison.Ordinal));
    }

    [Fact]
    public void A_class_may_be_called_train()
    {
        Files("bus/1.png", "car/1.png", "train/1.png", "test/1.png");
        FolderSource source = new(folder);
        source.Classes.ShouldBe(["bus", "car", "test", "train"]);
        source.Test.ShouldBeEmpty();
        source.Remarks.Count(r => r.Contains("is treated as a class", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public void Splits_without_classes_are_refused_and_a_stray_picture_changes_nothing()
    {
        Files("train/1.jpg", "test/1.jpg");
        Should.Throw<DataException>(() => new FolderSource(folder)).Message.ShouldContain("has no class folders");
        Files("train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/dog/1.png", "images/x.png");
        FolderSource source = new(folder);
        source.Classes.ShouldBe(["cat", "dog"]);
        source.Remarks.ShouldContain(r => r.Contains("images/ is ignored", StringComparison.Ordinal));
        source.Remarks.ShouldContain(r => r.Contains("not in a class folder: 2, such as test/1.jpg", StringComparison.Ordinal));
    }

    [Fact]
    public void A_link_to_a_folder_below_a_class_is_not_followed()
    {
        Files("cat/1.png", "dog/1.png");
        Directory.CreateSymbolicLink(Path.Combine(folder, "cat", "all"), folder);
        FolderSource source = new(folder);
        source.Train.Count.ShouldBe(2);
        source.Remarks.ShouldHaveSingleItem().ShouldBe("links to folders below a class are not followed: 1, such as cat/all");
    }

    [Fact]
    public void Hidden_files_and_folders_are_left_out_and_counted()
    {
        Files("train/cat/1.png", "train/cat/._1.png", "train/cat/.DS_Store", "train/cat/Thumbs.db", "train/dog/1.png",
            "train/.ipynb_checkpoints/1-checkpoint.png", "train/__MACOSX/cat/._1.png");
        FolderSource source = new(folder);
        source.Classes.ShouldBe(["cat", "dog"]);
        source.Train.Count.ShouldBe(2);
        source.Remarks.ShouldHaveSingleItem().ShouldStartWith("hidden files and folders are ignored: 5, such as train/");
    }

    [Fact]
    public void Images_at_any_depth_below_a_class_belong_to_it()
    {
        Files("train/cat/images/1.png", "train/cat/day 2/a/2.PNG", "train/cat/3.webp", "train/cat/4.bmp", "train/cat/5.gif",
            "train/cat/6.jfif", "train/dog/1.png");
        new FolderSource(folder).Train.Select(e => e.Name).ShouldBe(["train/cat/3.webp", "train/cat/4.bmp", "train/cat/5.gif",
            "train/cat/6.jfif", "train/cat/day 2/a/2.PNG", "train/cat/images/1.png", "train/dog/1.png"]);
    }

    [Fact]
    public void Files_of_other_forms_and_pictures_outside_the_classes_are_counted()
    {
        Files("train/cat/1.png", "train/cat/2.tif", "train/dog/1.png", "train/dog/3.TIF", "train/dog/n00001_boxes.txt",
            "train/dog/README", "train/stray.png");
        FolderSource source = new(folder);
        source.Train.Count.ShouldBe(2);
        source.Remarks
            .ShouldContain(r => r.StartsWith("files are ignored because .tif is not a supported image format", StringComparison.Ordinal)
            && r.EndsWith(": 2, such as train/cat/2.tif", StringComparison.Ordinal));
        source.Remarks.ShouldContain(r => r.Contains(".txt", StringComparison.Ordinal));
        source.Remarks.ShouldContain(r => r.Contains("without an extension", StringComparison.Ordinal));
        source.Remarks.ShouldContain(r => r.Contains("train/stray.png", StringComparison.Ordinal));
    }

    [Fact]
    public void A_class_of_the_test_split_alone_is_named()
    {
        Files("train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/dog/1.png", "test/zebra/1.png");
        FolderSource source = new(folder);
        source.Test.Count.ShouldBe(2);
        source.Remarks.ShouldHaveSingleItem().ShouldContain("no class 'zebra'");
    }

    /// <summary>tiny-imagenet: CLASS/images, and validation labels in a text file.</summary>
    [Fact]
    public void Validation_labels_in_a_text_file_are_read()
    {
        Files("train/n01/images/n01_0.png", "train/n01/n01_boxes.txt", "train/n02/images/n02_0.png", "val/images/val_0.png",
            "val/images/val_1.png", "val/images/val_2.png", "test/images/test_0.png");
        File.WriteAllText(Path.Combine(folder, "val", "val_annotations.txt"),
            "val_0.png\tn02\t0\t32\t44\t62\nval_1.png\tn01\t0\t0\t1\t1\n");
        FolderSource source = new(folder);
        source.Test.Select(e => (e.Class, e.Name)).ShouldBe([(0, "val/images/val_1.png"), (1, "val/images/val_0.png")]);
        source.Remarks.ShouldContain(r => r.Contains("does not list", StringComparison.Ordinal)
            && r.Contains("val_2.png", StringComparison.Ordinal));
        File.AppendAllText(Path.Combine(folder, "val", "val_annotations.txt"), "val_9.png\tn01\t0\n");
        Should.Throw<DataException>(() => new FolderSource(folder)).Message.ShouldContain("val_annotations.txt:3: val_9.png is missing");
    }

    [Theory]
    [InlineData("cifar-10-python.tar.gz", "tar xf cifar-10-python.tar.gz")]
    [InlineData("pets.zip", "unzip pets.zip")]
    [InlineData("data_batch_1", "danas data fetch cifar-10")]
    [InlineData("mnist.idx3", "train-images-idx3-ubyte")]
    [InlineData("1.jpg", "catalogue")]
    public void A_folder_of_something_else_is_refused_with_what_to_do(string file, string remedy)
    {
        Files(file);
        Should.Throw<DataException>(() => new FolderSource(folder)).Message.ShouldContain(remedy);
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte", "t10k-images-idx3-ubyte")]
    [InlineData("train-images.idx3-ubyte", "t10k-images.idx3-ubyte")]
    [InlineData("emnist-letters-train-images-idx3-ubyte", "emnist-letters-test-images-idx3-ubyte")]
    public void Idx_files_are_known_by_their_usual_names_and_labels_may_begin_at_one(string train, string test)
    {
        Idx(train, [1, 2, 26, 1, 2]);
        Idx(test, [26, 1]);
        IdxSource.IsIn(folder).ShouldBeTrue();
        IdxSource source = new(folder);
        source.Classes.ShouldBe(["1", "2", "26"]);
        source.Train.Select(e => e.Class).ShouldBe([0, 1, 2, 0, 1]);
        source.Test.Select(e => e.Class).ShouldBe([2, 0]);
    }

    [Fact]
    public void Idx_files_that_do_not_fit_are_refused_in_one_line()
    {
        Idx("train-images-idx3-ubyte", [0, 1, 0, 1]);
        Idx("t10k-images-idx3-ubyte", [0, 3]);
        Refused("label 3 (image 1)", "t10k-labels-idx1-ubyte");
        Idx("t10k-images-idx3-ubyte", []);
        Refused("declares 0 images");
        Idx("t10k-images-idx3-ubyte", [0]);
        Idx("train-images-idx3-ubyte", [7, 7]);
        Refused("contains only the label 7");
        foreach (string file in Directory.EnumerateFiles(folder))
            File.Delete(file);
        Idx("emnist-digits-train-images-idx3-ubyte", [0, 1]);
        Idx("emnist-letters-train-images-idx3-ubyte", [0, 1]);
        Refused("2 data sets");
        Idx("train-images-idx3-ubyte", [0, 1]);
        Idx("t10k-images-idx3-ubyte", [0]);
        new IdxSource(folder).Train.Count.ShouldBe(2); // The usual four, whatever lies beside them.

        void Refused(params string[] said)
        {
            string message = Should.Throw<DataException>(() => new IdxSource(folder)).Message;
            said.ShouldAllBe(s => message.Contains(s, StringComparison.Ordinal), message);
        }
    }

    [Fact]
    public void A_catalogue_names_what_it_lists_twice_and_what_it_cannot_read()
    {
        string file = Path.Combine(folder, "list.tsv");
        File.WriteAllText(file, "train\ta\tx/1.png\n\ntrain\ta\tx/2.png\ntrain\tb\ty/1.png\n" +
            "test\ta\tx/1.png\ntrain\tb\tx/2.png\ntest\tb\ty/2.png\ntest\tb\ty/2.png\n");
        CatalogueSource source = new(file);
        source.Train.Count.ShouldBe(4);
        source.Remarks.ShouldBe(["images are listed in both the training and the test split: 1, such as x/1.png",
            "images are listed twice: 1, such as y/2.png", "images are listed under two classes: 1, such as x/2.png (also as 'b')"]);
        foreach (string bad in (string[])["train,a,x/1.png", "validate\ta\tx", "train\t\tx", "train\ta\t", "train\ta"])
        {
            File.WriteAllText(file, $"train\tb\ty\n{bad}\n");
            Should.Throw<DataException>(() => new CatalogueSource(file)).Message.ShouldContain("list.tsv:2: expected");
        }
    }

    private void Files(params string[] paths)
    {
        foreach (string path in paths)
        {
            string full = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            File.WriteAllBytes(full, Convert.FromBase64String(OnePixelPng));
        }
    }

    /// <summary>Images of 2 x 2 pixels and their labels.</summary>
    private void Idx(string images, byte[] labels)
    {
        byte[] head = [0, 0, 8, 3, 0, 0, 0, (byte)labels.Length, 0, 0, 0, 2, 0, 0, 0, 2];
        BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)).ShouldBe(labels.Length);
        File.WriteAllBytes(Path.Combine(folder, images), [.. head, .. new byte[labels.Length * 4]]);
        File.WriteAllBytes(Path.Combine(folder, images.Replace("images", "labels", StringComparison.Ordinal)
            .Replace("idx3", "idx1", StringComparison.Ordinal)), [0, 0, 8, 1, 0, 0, 0, (byte)labels.Length, .. labels]);
    }
}
