using System.Text;
using System.Text.Json;
using DaNas.Domain.Architectures;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Tests;

public sealed class NasBenchMacroTests
{
    private const string Table = "nas/benchmarks/nas-bench-macro_cifar10.json";
    private const string Sha256OfAllRows = "672d7cab8462f1cd347a9e2c45dd635f39fa6432d46cd736b20c0cc1033324ac";
    private static readonly string[] Blocks = ["skip", "k3e3", "k5e6"];

    [Fact]
    public void NasBenchMacro_all_6561_rows_have_the_committed_digest() =>
        Digest.Of(string.Join('\n', Rows().Select(r => $"{r.Id},{r.Cost.Parameters},{r.Cost.Macs}")) + "\n").Hex.ShouldBe(Sha256OfAllRows);

    [SharedDataFact(Table)]
    public void NasBenchMacro_every_row_of_the_published_table_is_reproduced()
    {
        using JsonDocument table = JsonDocument.Parse(File.ReadAllText(SharedData.Find(Table)!));
        int equal = Rows().Count(row =>
        {
            JsonElement published = table.RootElement.GetProperty(row.Id);
            return published.GetProperty("params").GetInt64() == row.Cost.Parameters
                && published.GetProperty("flops").GetInt64() == row.Cost.Macs;
        });
        equal.ShouldBe(6561);
    }

    private static IEnumerable<(string Id, Cost Cost)> Rows()
    {
        SearchSpace space = TestSearches.Space("nas-bench-macro", 10);
        CostTable costs = CostTable.Of(space);
        for (int n = 0; n < 6561; n++)
        {
            StringBuilder id = new();
            for (int digit = 7, rest = n; digit >= 0; digit--, rest /= 3)
                id.Insert(0, rest % 3);
            Architecture a = new(space.Name, id.ToString().Select(c => Blocks[c - '0']).ToValueList());
            yield return (id.ToString(), costs.Of(a));
        }
    }
}
