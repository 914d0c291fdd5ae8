using System.Reflection;
using System.Text;
using DaNas.Actors.Wire;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Drills;

namespace DaNas.Actors.Tests;

/// <summary>
/// What each version wrote, kept for ever: journals of 0.1, and one line for every manifest of the version that brought it. A later version
/// must read them and decide the same. Files are made with DANAS_GOLDEN=write, once a version, and never changed afterwards.
/// </summary>
public sealed class GoldenTests
{
    private static readonly string Folder = Path.Combine(Source(), "Golden", "v0.1");
    private const string Current = "v0.4";
    private static readonly bool Writes = Environment.GetEnvironmentVariable("DANAS_GOLDEN") == "write";

    [Theory]
    [InlineData("two-shards", 1, 0)]
    [InlineData("validation-evidence", 3, 0)]
    [InlineData("poison-block", 1, 1)]
    [InlineData("diverged", 0, 2)]
    public void A_journal_of_version_0_1_is_read_folded_and_decided_again(string name, int variant, int misfortune)
    {
        string file = Path.Combine(Folder, $"journal-{name}.txt");
        if (Writes)
            File.WriteAllLines(file, Rows(variant, misfortune));
        (List<SearchEvent> events, string hash) = Read(file);
        SearchState state = events.Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        state.Phase.ShouldBeOfType<SearchPhase.Completed>();
        state.DecisionHash.Hex.ShouldBe(hash);
        (int decided, ReplayDifference? difference) = SearchReplay.Check(events);
        difference.ShouldBeNull();
        decided.ShouldBeGreaterThan(30);
    }

    [Fact]
    public void A_rule_that_is_not_a_function_of_its_inputs_is_detected()
    {
        string file = Path.Combine(Folder, "journal-nondeterministic.txt");
        if (Writes)
            File.WriteAllLines(file, Nondeterministic());
        (List<SearchEvent> events, _) = Read(file);
        ReplayDifference difference = SearchReplay.Check(events).Difference.ShouldNotBeNull();
        difference.Recorded.ShouldBeOfType<SearchEvent.BlocksPruned>();
        difference.Expected.ShouldBeOfType<SearchEvent.BlocksPruned>().ShouldNotBe(difference.Recorded);
    }

    [Fact]
    public void The_bytes_of_every_manifest_are_what_they_were()
    {
        string[] files = [.. new[] { "v0.1", "v0.2", "v0.3", Current }.Select(v => Path.Combine(Source(), "Golden", v, "wire.txt"))];
        if (Writes)
        {
            HashSet<string> before = files[..^1].SelectMany(File.ReadAllLines).Select(l => l[..l.IndexOf(' ')]).ToHashSet();
            Directory.CreateDirectory(Path.GetDirectoryName(files[^1])!);
            File.WriteAllLines(files[^1], WireFormat.AllManifests.Except(before).Order(StringComparer.Ordinal)
                .Select(m => $"{m} {Encoding.UTF8.GetString(WireFormat.Write(Sample.Of(WireFormat.TypeOf(m))))}"));
        }

        Dictionary<string, string> golden = files.SelectMany(File.ReadAllLines)
            .ToDictionary(l => l[..l.IndexOf(' ')], l => l[(l.IndexOf(' ') + 1)..]);
        golden.Keys.Order(StringComparer.Ordinal).ShouldBe(WireFormat.AllManifests.Order(StringComparer.Ordinal));
        foreach ((string manifest, string text) in golden)
        {
            object message = WireFormat.Read(manifest, Encoding.UTF8.GetBytes(text));
            WireFormat.ManifestOf(message).ShouldBe(manifest);
            Encoding.UTF8.GetString(WireFormat.Write(message)).ShouldBe(text, manifest);
            message.ShouldBe(Sample.Of(message.GetType()), manifest);
        }
    }

    /// <summary>One row a line: sequence, ticks, manifest, the envelope as it stood in the journal; the decision hash last.</summary>
    private static (List<SearchEvent> Events, string Hash) Read(string file)
    {
        List<SearchEvent> events = [];
        string chain = Envelope.Genesis("search-golden");
        string[] lines = File.ReadAllLines(file);
        foreach (string line in lines[..^1])
        {
            string[] parts = line.Split(' ', 4);
            (object e, chain, _, _) = Envelope.Open(chain, new RowHead(long.Parse(parts[0]), long.Parse(parts[1]), parts[2]),
                Encoding.UTF8.GetBytes(parts[3]));
            events.Add((SearchEvent)e);
        }

        return (events, lines[^1]);
    }

    private static IEnumerable<string> Rows(int variant, int misfortune)
    {
        List<SearchEvent> events = [];
        SimulationSuite.Make(variant, misfortune).Search.RunClean([], (_, e) => events.Add(e));
        return Sealed(events);
    }

    /// <summary>A pruning that took another block than the rule gives, as a rule that reads the clock might have.</summary>
    private static IEnumerable<string> Nondeterministic()
    {
        List<SearchEvent> events = [];
        SimulationSuite.Make(0, 0).Search.RunClean([], (_, e) => events.Add(e));
        int at = events.FindIndex(e => e is SearchEvent.BlocksPruned);
        SearchEvent.BlocksPruned was = (SearchEvent.BlocksPruned)events[at];
        SearchState before = events.Take(at).Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        Domain.Pruning.Removal gone = was.Removed[0];
        string other = before.Alive!.Layers[gone.Layer].First(b => was.Removed.All(r => r.Layer != gone.Layer || r.Block != b));
        ValueList<Domain.Pruning.Removal> removed = was.Removed.With(0, gone with { Block = other });
        events[at] = was with { Removed = removed, Alive = before.Alive.Without(removed.Select(r => (r.Layer, r.Block)).ToHashSet()) };
        return Sealed([.. events.Take(at + 1)]);
    }

    private static IEnumerable<string> Sealed(IReadOnlyList<SearchEvent> events)
    {
        string chain = Envelope.Genesis("search-golden");
        long ticks = new DateTime(2026, 11, 21, 0, 0, 0, DateTimeKind.Utc).Ticks;
        for (int i = 0; i < events.Count; i++)
        {
            RowHead head = new(i + 1, ticks + (i * TimeSpan.TicksPerSecond), WireFormat.ManifestOf(events[i]));
            (byte[] bytes, chain) = Envelope.Seal(chain, head, 1, WireFormat.Write(events[i]));
            yield return $"{head.Sequence} {head.CreatedTicks} {head.Manifest} {Encoding.UTF8.GetString(bytes)}";
        }

        yield return events.Aggregate(SearchState.Initial, SearchEvolver.Evolve).DecisionHash.Hex;
    }

    private static string Source([System.Runtime.CompilerServices.CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    /// <summary>A message of any wire type with the same made-up members every time.</summary>
    private static class Sample
    {
        public static object Of(Type type)
        {
            if (type == typeof(string))
                return "text/1 ä";
            if (type == typeof(int))
                return 7;
            if (type == typeof(long))
                return 9_007_199_254_740_993L;
            if (type == typeof(double))
                return 0.1;
            if (type == typeof(bool))
                return true;
            if (type.IsEnum)
                return Enum.GetValues(type).GetValue(1)!;
            if (Nullable.GetUnderlyingType(type) is { } inner)
                return Of(inner);
            if (type == typeof(Digest))
                return Digest.Of("sample");
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>))
                return List(type.GetGenericArguments()[0]);
            if (type.IsAbstract)
                return Of(type.GetNestedTypes().Where(t => t.IsAssignableTo(type)).OrderBy(t => t.Name, StringComparer.Ordinal).First());
            ConstructorInfo make = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
            return make.Invoke([.. make.GetParameters().Select(p => Of(p.ParameterType))]);
        }

        private static object List(Type element)
        {
            Array items = Array.CreateInstance(element, 2);
            items.SetValue(Of(element), 0);
            items.SetValue(Of(element), 1);
            return typeof(ValueList).GetMethod(nameof(ValueList.ToValueList))!.MakeGenericMethod(element).Invoke(null, [items])!;
        }
    }
}
