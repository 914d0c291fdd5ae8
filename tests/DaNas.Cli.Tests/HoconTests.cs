using DaNas.Domain.Configuration;
using DaNas.Runtime.Configuration.Hocon;

namespace DaNas.Cli.Tests;

public sealed class HoconTests
{
    [Theory]
    [InlineData("a = 1", """{"a":1}""")]
    [InlineData("a.b.c : x", """{"a":{"b":{"c":"x"}}}""")]
    [InlineData("a { b = 1, c = 2 }\na.b = 3", """{"a":{"b":3,"c":2}}""")]
    [InlineData("{\"a\": [1, 2.5, \"x\"], \"b\": null}", """{"a":[1,2.5,"x"],"b":null}""")]
    [InlineData("a = one two   three // comment\n# more\nb = \"q # r\"", """{"a":"one two   three","b":"q # r"}""")]
    [InlineData("a = 1\nb = ${a}\nc = ${?nope}", """{"a":1,"b":1}""")]
    [InlineData("a = 1\na = ${?nope}", """{"a":1}""")]
    [InlineData("base { x = 1, y = 2 }\na = ${base} { y = 3 }", """{"a":{"x":1,"y":3},"base":{"x":1,"y":2}}""")]
    [InlineData("a = [1]\na += 2\na += 3", """{"a":[1,2,3]}""")]
    [InlineData("p = /data\nq = ${p}/images", """{"p":"/data","q":"/data/images"}""")]
    [InlineData("l = [ { a = 1 }\n { a = 2 } ]", """{"l":[{"a":1},{"a":2}]}""")]
    [InlineData("a = \"\"\"x\ny\"\"\"", """{"a":"x\ny"}""")]
    [InlineData("a = \"tab\\t\\u0041\"", """{"a":"tab\tA"}""")]
    [InlineData("a { x = 1 }\na = 5", """{"a":5}""")]
    [InlineData("a = 30s, b = 512MiB", """{"a":"30s","b":"512MiB"}""")]
    // A field that names itself means the value that it had before; so does += (HOCON, "Self-Referential Substitutions", "The += field
    // separator").
    [InlineData("a = x\na = ${a}-y\na = ${a}-z", """{"a":"x-y-z"}""")]
    [InlineData("a = [1]\na = ${a} [2]\na = [0] ${a}", """{"a":[0,1,2]}""")]
    [InlineData("a = [1]\na = [${a}, 2]", """{"a":[[1],2]}""")]
    [InlineData("a = 1\na = { was = ${a} }", """{"a":{"was":1}}""")]
    [InlineData("b { a = x }\nb.a = ${b.a}y", """{"b":{"a":"xy"}}""")]
    [InlineData("b { a = x }\nb { a = ${b.a}y, c = ${b.a} }", """{"b":{"a":"xy","c":"xy"}}""")]
    [InlineData("a = ${?a} [1]", """{"a":[1]}""")]
    [InlineData("a = ${?a}", """{}""")]
    [InlineData("a { x = 1 }\na = ${a} { y = 2 }", """{"a":{"x":1,"y":2}}""")]
    [InlineData("bar { foo = 42, baz = ${bar.foo} }", """{"bar":{"baz":42,"foo":42}}""")]
    [InlineData("b { a = [1] }\nb { a += 2 }\nb.a += 3", """{"b":{"a":[1,2,3]}}""")]
    [InlineData("a += 1", """{"a":[1]}""")]
    [InlineData("l = [ { a = [1], a += 2 } ]", """{"l":[{"a":[1,2]}]}""")]
    [InlineData("x = ${y}\ny = ${z}{ k = 1 }\nz { j = 2 }\nw = ${x.j}", """{"w":2,"x":{"j":2,"k":1},"y":{"j":2,"k":1},"z":{"j":2}}""")]
    [InlineData("p { l = [1] }\nc = ${p}\nc.l += 2", """{"c":{"l":[1,2]},"p":{"l":[1]}}""")]
    [InlineData("p { l = [1] }\nc = ${p}\nc.l = ${c.l} [2]", """{"c":{"l":[1,2]},"p":{"l":[1]}}""")]
    [InlineData(
        "d { x = 1 }\nbar = ${d}\nbar { foo = 42, baz = ${bar.foo}, z = ${bar.x} }",
        """{"bar":{"baz":42,"foo":42,"x":1,"z":1},"d":{"x":1}}""")]
    [InlineData("a = 1\nb = ${a}\na = 2", """{"a":2,"b":2}""")]
    public void Texts_resolve_to_trees(string text, string expected) => Resolve(text).ToCanonicalText().ShouldBe(expected);

    [Theory]
    [InlineData("a = {", 1, "'}'")]
    [InlineData("a = 1\nb = [1, 2", 2, "']'")]
    [InlineData("a = 1\n\nb 2", 3, "'='")]
    [InlineData("a = \"x", 1, "quote")]
    [InlineData("a = ${b}", 1, "${b}")]
    [InlineData("a = ${b}\nb = ${a}", 1, "itself")]
    [InlineData("a = ${a}", 1, "itself")]
    [InlineData("a = x\nb = ${a}\na = ${b}", 2, "itself")]
    [InlineData("a = 1 }", 1, "'}'")]
    [InlineData("include \"nope.conf\"", 1, "nope.conf")]
    [InlineData("a = ", 1, "value is missing")]
    [InlineData("= 3", 1, "key")]
    public void A_mistake_names_its_line_and_what_was_expected(string text, int line, string word)
    {
        HoconException e = Should.Throw<HoconException>(() => Resolve(text));
        e.Message.ShouldContain(word);
        e.Origin.Line.ShouldBeInRange(line, line + 1);
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{ a = ", "}")]
    public void What_stands_in_itself_twenty_thousand_deep_is_refused_with_its_line(string open, string close) =>
        Should.Throw<HoconException>(() => Resolve("a = " + string.Concat(Enumerable.Repeat(open, 20_000)) + "1"
            + string.Concat(Enumerable.Repeat(close, 20_000)))).Message.ShouldContain("more than 200 levels deep");

    [Fact]
    public void A_value_over_itself_sixty_times_takes_no_longer_than_that_and_an_included_object_keeps_its_own()
    {
        Resolve("a { k = 0 }\n" + string.Concat(Enumerable.Range(0, 60).Select(i => $"a = ${{a}} {{ k{i} = {i} }}\n"))).ToCanonicalText()
            .ShouldContain("\"k59\":59");
        HoconResolver.Resolve(HoconParser.Parse(
            "foo { include \"x.conf\" }", "test.conf", (_, _) => HoconParser.Parse("a = [1]\na += 2", "x.conf", (_, _) => null)))
            .ToCanonicalText().ShouldBe("""{"foo":{"a":[1,2]}}""");
    }

    [Fact]
    public void Origins_lead_back_to_the_line()
    {
        ConfigObject tree = Resolve("a = 1\nb {\n  c = 2\n}");
        ((ConfigObject)tree.Fields["b"]).Fields["c"].Origin.ShouldBe(new ConfigOrigin("test.conf", 3));
    }

    [Fact]
    public void The_environment_stands_in_for_a_missing_path()
    {
        Environment.SetEnvironmentVariable("DANAS_TEST_VALUE", "7");
        Resolve("a = ${?DANAS_TEST_VALUE}").ToCanonicalText().ShouldBe("""{"a":7}""");
    }

    [Fact]
    public void Ten_thousand_random_texts_parse_or_fail_with_a_line_and_never_otherwise()
    {
        Random random = new(20_031_256);
        const string alphabet = "ab.=:{}[]\"${}?#/,\n +\\u1\t";
        for (int i = 0; i < 10_000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => alphabet[random.Next(alphabet.Length)]));
            try
            {
                Resolve(text);
            }
            catch (HoconException)
            {
                // The one way to fail.
            }
        }
    }

    private static ConfigObject Resolve(string text) => HoconResolver.Resolve(HoconParser.Parse(text, "test.conf", (_, _) => null));
}
