using DaNas.Torch.Training;

namespace DaNas.Torch.Tests;

/// <summary>What a test report counts, by hand.</summary>
public sealed class TestReportTests
{
    [Fact]
    public void Top_1_top_5_classes_and_confusion_are_counted_by_hand()
    {
        // Seven classes; logits fall from the first class to the last one, so class c is in place c + 1.
        float[] falling = [7, 6, 5, 4, 3, 2, 1];
        TestReport report = TestReport.From(7, [(0, falling), (1, falling), (4, falling), (5, falling), (6, [1, 1, 1, 1, 1, 1, 9])]);
        report.Images.ShouldBe(5);
        report.Top1.ShouldBe(0.4);
        report.Top5.ShouldBe(0.8); // All but class 5, which is sixth.
        report.PerClass.ShouldBe([1, 0, 0, 0, 0, 0, 1]);
        report.Confusion[5][0].ShouldBe(1);
        report.Confusion[6][6].ShouldBe(1);
        report.Confusion.Sum(row => row.Sum()).ShouldBe(5);
    }

    [Fact]
    public void Under_six_classes_there_is_no_top_5() => double.IsNaN(TestReport.From(5, [(0, [1, 0, 0, 0, 0])]).Top5).ShouldBeTrue();
}
