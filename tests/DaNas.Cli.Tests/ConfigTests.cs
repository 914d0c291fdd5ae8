using DaNas.Domain.Configuration;
using DaNas.Runtime.Configuration;

namespace DaNas.Cli.Tests;

public sealed class ConfigTests
{
    [Theory]
    [InlineData("quickstart")]
    [InlineData("drawn-12")]
    [InlineData("fashion-mnist")]
    [InlineData("cifar10")]
    [InlineData("imagenet20")]
    [InlineData("imagenet")]
    public void Every_shipped_search_is_valid(string name) => ConfigLoader.Load(name, ["data.path=/data"], null).Search.Name.ShouldBe(name);

    [Fact]
    public void A_configuration_survives_its_canonical_text()
    {
        SearchConfig config = ConfigLoader.Load("drawn-12", ["search.seed=5"], null);
        SearchConfig again = SearchConfig.FromCanonicalText(config.Text);
        again.ShouldBe(config);
        again.Hash.ShouldBe(config.Hash);
        ConfigLoader.Load("drawn-12", ["search.seed=6"], null).Hash.ShouldNotBe(config.Hash);
    }

    [Theory]
    [InlineData("prune.ratio=1.5", "prune.ratio = 1.5", "from 0 to 0.99")]
    [InlineData("prune.rulee=layer", "prune.rulee", "did you mean prune.rule?")]
    [InlineData("prune.rule=global", "prune.rule = global", "prune.when = schedule")]
    [InlineData("prune={rule=global,when=schedule}", "evidence.kind = effect", "evidence.kind = probability")]
    [InlineData("evidence.kind=probability", "prune.when = sure", "evidence.kind = effect")]
    [InlineData("sampler.gradient=gate", "evidence.kind = effect", "leave-one-out")]
    [InlineData("sampler.temperature=2", "sampler.temperature = 2", "remove the key")]
    [InlineData("sampler={gradient=gate,average-decay=0.9}", "sampler.average-decay = 0.9", "leave-one-out measures path losses")]
    [InlineData("search.name=\"a b\"", "search.name = ", "ASCII letters")]
    [InlineData("search.name=\"../x\"", "search.name = ", "ASCII letters")]
    [InlineData("search.name=größe", "search.name = ", "ASCII letters")]
    [InlineData("search.name=nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
        "search.name = ", "at most 79")]
    [InlineData("weights.batch=1,space.resolution=4", "weights.batch = 1", "set 2 or more")]
    [InlineData("retrain.batch=1,space.resolution=4", "retrain.batch = 1", "set 2 or more")]
    [InlineData("prune.train-on=0.5", "prune.train-on = 0.5", "from 1 to 1024")]
    [InlineData("sampler.kind=best", "sampler.kind = best", "gumbel-hard | soft | uniform")]
    [InlineData("weights.batch=many", "weights.batch = many", "whole number")]
    [InlineData("curriculum.fractions=[0.5,0.2,1.0]", "curriculum.fractions", "increase")]
    [InlineData("curriculum.fractions=3", "curriculum.fractions = 3", "list")]
    [InlineData("difficulty.block=k9e9", "difficulty.block = k9e9", "choose one of: k3e1")]
    [InlineData("space.layers=[]", "space.layers", "1 to 200")]
    [InlineData("space.candidates=[k3e1,k4e4]", "k4e4", "block names have the form")]
    [InlineData("space.candidates=[skip]", "skip", "changes the shape")]
    [InlineData("cost.target-macs=1000", "cost.target-macs = 1000", "cheapest architecture")]
    [InlineData("trainers.device=tpu", "trainers.device = tpu", "cpu, cuda")]
    [InlineData("trainers.unit-deadline=soon", "trainers.unit-deadline = soon", "30s")]
    [InlineData("data.cache=big", "data.cache = big", "512MiB")]
    [InlineData("sampler.kind=uniform", "evidence.kind", "validation")]
    [InlineData("data.kind=idx", "data.path", "--data")]
    public void A_bad_value_names_key_value_and_remedy(string set, string named, string remedy)
    {
        UsageException e = Should.Throw<UsageException>(() => ConfigLoader.Load("drawn-12", [set], null));
        e.Message.ShouldContain(named);
        e.Message.ShouldContain(remedy);
        e.Message.ShouldMatch(@"^\S+:\d+: ");
    }

    /// <summary>A search goes on from any folder: what it stores names files from the root on.</summary>
    [Fact]
    public void Relative_paths_are_taken_from_the_folder_of_the_start()
    {
        string here = Environment.CurrentDirectory;
        ConfigLoader.Load("drawn-12", ["data.kind=image-folder", "data.path=images/../mine"], null).Data.Path
            .ShouldBe(Path.Combine(here, "mine"));
        ConfigLoader.Load("nas-bench-201", ["engine.table=t.csv"], null).Engine.Table.ShouldBe(Path.Combine(here, "t.csv"));
        ConfigLoader.Load("drawn-12", [], null).Data.Path.ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_is_not_utf8_is_refused_by_name()
    {
        string file = Path.GetTempFileName();
        File.WriteAllBytes(file, [.. "search.name = gr"u8, 0xF6, .. "sse\n"u8]);
        Should.Throw<UsageException>(() => ConfigLoader.Load(file, [], null)).Message
            .ShouldStartWith($"{file} is not UTF-8 text (byte 0xF6");
        File.Delete(file);
    }

    [Fact]
    public void All_problems_come_at_once_one_line_each() =>
        Should.Throw<UsageException>(() => ConfigLoader.Load("drawn-12", ["prune.ratio=2", "weights.batch=0"], null)).Message
            .Split('\n').Length.ShouldBe(2);

    /// <summary>
    /// The text that an earlier 0.2 stored, before recipes, latency and given architectures: it is read as it is, and begins a new search
    /// with today's defaults.
    /// </summary>
    [Fact]
    public void A_configuration_that_an_earlier_version_stored_is_read_and_begins_a_new_search()
    {
        string stored = File.ReadAllText(Path.Combine(Source(), "Golden", "configuration-0.2.json"));
        stored.ShouldNotContain("rand-augment");
        SearchConfig old = SearchConfig.FromCanonicalText(stored);
        old.Hash.ShouldBe(Domain.Values.Digest.Of(stored));
        old.Retrain.Optimiser.ToString().ShouldBe("Sgd");
        SearchConfig anew = ConfigLoader.Anew(stored, ["retrain.top=2"], null);
        anew.Retrain.Top.ShouldBe(2);
        anew.Text.ShouldContain("rand-augment");
        anew.Stage.ShouldBe(old.Stage);
        anew.Difficulty.ShouldBe(old.Difficulty);
        old.Data.SplitSeed.ShouldBeNull();
        anew.Data.SplitSeed.ShouldBe(old.Search.Seed);
        (anew.Finals.Rungs, anew.Controls.Draw).ShouldBe((0, ControlDraw.Walk));
        (old.Finals.Rungs, old.Controls.Draw, old.Engine.Kind).ShouldBe((0, ControlDraw.Walk, EngineKind.Torch));
    }

    private static string Source([System.Runtime.CompilerServices.CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
