using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace DaNas.Architecture.Tests;

/// <summary>The files in deploy/ against the product: they parse, and name only options, paths and ports that exist.</summary>
public sealed partial class DeployTests
{
    private static string Deploy => Path.Combine(Repository.Root, "deploy");

    private static readonly Lazy<HashSet<string>> Options = new(() => [.. OptionName().Matches(File.ReadAllText(
        Path.Combine(Repository.Root, "src", "DaNas.Cli", "Verbs", "NodeVerbs.cs")) + "new(\"--out\")").Select(m => m.Groups[1].Value)]);

    [Fact]
    public void Kubernetes_manifests_have_probes_and_names_that_fit_together()
    {
        List<YamlMappingNode> all =
            [.. Directory.EnumerateFiles(Path.Combine(Deploy, "kubernetes", "base"), "*.yaml").SelectMany(Documents)];
        YamlMappingNode[] sets = [.. all.Where(d => Text(d, "kind") == "StatefulSet")];
        sets.Length.ShouldBe(2);
        foreach (YamlMappingNode set in sets)
        {
            string service = Text(set, "spec", "serviceName");
            all.ShouldContain(d => Text(d, "kind") == "Service" && Text(d, "metadata", "name") == service);
            Node(set, "spec", "selector", "matchLabels").ToString()
                .ShouldBe(Node(set, "spec", "template", "metadata", "labels").ToString());
            YamlMappingNode container = (YamlMappingNode)((YamlSequenceNode)Node(set, "spec", "template", "spec", "containers"))[0];
            Text(container, "livenessProbe", "httpGet", "path").ShouldBe("/healthz");
            Text(container, "readinessProbe", "httpGet", "path").ShouldBe("/readyz");
            Words((YamlSequenceNode)Node(container, "args"))
                .ShouldAllBe(w => !w.StartsWith("--", StringComparison.Ordinal) || Options.Value.Contains(w));
            string[] mounted = [.. ((YamlSequenceNode)Node(container, "volumeMounts")).Select(m => Text((YamlMappingNode)m, "name"))];
            string[] there = [.. ((YamlSequenceNode)Node(set, "spec", "template", "spec", "volumes"))
                .Select(v => Text((YamlMappingNode)v, "name")), .. ((YamlSequenceNode)Node(set, "spec", "volumeClaimTemplates"))
                .Select(v => Text((YamlMappingNode)v, "metadata", "name"))];
            mounted.Except(there).ShouldBeEmpty();
        }

        foreach (string overlay in Directory.EnumerateFiles(
            Path.Combine(Deploy, "kubernetes"), "kustomization.yaml", SearchOption.AllDirectories))
        {
            YamlMappingNode kustomization = Documents(overlay).ShouldHaveSingleItem();
            foreach (string resource in Words((YamlSequenceNode)Node(kustomization, "resources")))
                (File.Exists(Path.Combine(Path.GetDirectoryName(overlay)!, resource))
                    || Directory.Exists(Path.Combine(Path.GetDirectoryName(overlay)!, resource))).ShouldBeTrue(resource);
        }
    }

    [Fact]
    public void The_compose_file_starts_a_whole_cluster_with_options_that_exist()
    {
        string file = Path.Combine(Deploy, "compose.yaml");
        YamlMappingNode compose = Documents(file).ShouldHaveSingleItem();
        Dictionary<string, YamlMappingNode> services = ((YamlMappingNode)Node(compose, "services")).Children
            .ToDictionary(s => s.Key.ToString(), s => (YamlMappingNode)s.Value);
        services.Keys.Order().ShouldBe(["coordinator-1", "coordinator-2", "postgres", "trainer-1", "trainer-2"]);
        foreach ((string name, YamlMappingNode service) in services.Where(s => s.Key != "postgres"))
        {
            string[] words = [.. Words((YamlSequenceNode)Node(service, "command"))];
            words.ShouldAllBe(w => !w.StartsWith("--", StringComparison.Ordinal) || Options.Value.Contains(w));
            words[Array.IndexOf(words, "--name") + 1].ShouldBe(name);
            words[Array.IndexOf(words, "--advertise") + 1].ShouldBe($"{name}:7411");
        }

        foreach (Match path in DockerFile().Matches(File.ReadAllText(file)))
            File.Exists(Path.Combine(Repository.Root, path.Value)).ShouldBeTrue(path.Value);
    }

    [Fact]
    public void Units_and_the_Slurm_script_use_options_that_exist()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Deploy, "systemd"))
            .Append(Path.Combine(Deploy, "slurm", "danas-trainers.sbatch")))
        {
            string[] options = [.. Used().Matches(string.Join('\n', File.ReadLines(file).Where(l => !l.StartsWith('#') && !l.Contains(
                "srun", StringComparison.Ordinal) && !l.Contains("--export", StringComparison.Ordinal)))).Select(m => m.Value.Trim())];
            options.ShouldNotBeEmpty(file);
            options.Except(Options.Value).ShouldBeEmpty(file);
        }
    }

    private static IEnumerable<YamlMappingNode> Documents(string file)
    {
        YamlStream stream = new();
        using StreamReader reader = new(file);
        stream.Load(reader);
        return [.. stream.Documents.Select(d => (YamlMappingNode)d.RootNode)];
    }

    private static YamlNode Node(YamlMappingNode from, params string[] path) =>
        path.Aggregate((YamlNode)from, (n, key) => ((YamlMappingNode)n).Children[new YamlScalarNode(key)]);

    private static string Text(YamlMappingNode from, params string[] path) => ((YamlScalarNode)Node(from, path)).Value!;

    private static IEnumerable<string> Words(YamlSequenceNode sequence) => sequence.Select(n => ((YamlScalarNode)n).Value!);

    [GeneratedRegex("(?:new|Option(?:<[^>]+>)?)\\(\\s*\"(--[a-z-]+)\"")]
    private static partial Regex OptionName();

    [GeneratedRegex("deploy/docker/[A-Za-z.]+")]
    private static partial Regex DockerFile();

    [GeneratedRegex("(?<=\\s|\\()--[a-z][a-z-]+")]
    private static partial Regex Used();
}
