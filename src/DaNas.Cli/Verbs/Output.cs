using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace DaNas.Cli.Verbs;

/// <summary>Tables for people, JSON for programs.</summary>
internal static class Output
{
    public static JsonSerializerOptions Json { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = false, Converters = { new JsonStringEnumConverter() } };

    /// <summary>How this program is started from here; scripts/danas says it.</summary>
    public static string Program { get; } = Environment.GetEnvironmentVariable("DANAS_COMMAND") is { Length: > 0 } command ? command : "danas";

    /// <summary>One line of JSON under a name and a version: see <see cref="JsonSchemas"/>.</summary>
    public static void PrintJson<T>(string name, T value) => Console.WriteLine(JsonSchemas.Text(name, value, Json));

    /// <summary>A table that is as wide as its words; where a terminal is narrower, the last column or all of them come one under the other, since no word may be cut that somebody wants to copy.</summary>
    public static void PrintTable(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        IReadOnlyList<string>[] all = [.. rows];
        int[] widths = [.. columns.Select((c, i) => all.Select(r => r[i].Length).Append(c.Length).Max() + 3)];
        if (Console.IsOutputRedirected || widths.Sum() + 2 <= AnsiConsole.Profile.Width)
            Wide(columns, all, widths.Sum());
        else if (widths[..^1].Sum() <= AnsiConsole.Profile.Width)
            Broken(columns, all, widths);
        else
            Stack(columns, all);
    }

    public static void PrintText(string text) => Console.WriteLine(Wrapped(text));

    /// <summary>A sentence, broken between words where a terminal is narrower.</summary>
    public static string Wrapped(string text)
    {
        int width = Console.IsOutputRedirected ? int.MaxValue : AnsiConsole.Profile.Width;
        StringBuilder wrapped = new();
        int at = 0;
        foreach (string word in text.Split(' '))
        {
            bool breaks = at > 2 && at + 1 + word.Length > width;
            wrapped.Append(breaks ? "\n  " : at > 0 ? " " : string.Empty).Append(word);
            at = (breaks ? 2 : at > 0 ? at + 1 : 0) + word.Length;
        }

        return wrapped.ToString();
    }

    private static void Wide(IReadOnlyList<string> columns, IReadOnlyList<string>[] rows, int width)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect });
        console.Profile.Width = width + 2;
        Table table = new Table().Border(TableBorder.Simple);
        foreach (string column in columns)
            table.AddColumn(new TableColumn(Markup.Escape(column)).NoWrap());
        foreach (IReadOnlyList<string> row in rows)
            table.AddRow([.. row.Select(Shown)]);
        console.Write(table);
    }

    private static void Broken(IReadOnlyList<string> columns, IReadOnlyList<string>[] rows, int[] widths)
    {
        foreach (IReadOnlyList<string> row in rows.Prepend(columns))
        {
            AnsiConsole.MarkupLine(string.Concat(row.SkipLast(1).Select((cell, i) => Shown(cell) + new string(' ', widths[i] - cell.Length))).TrimEnd());
            Console.WriteLine($"    {row[^1]}"); // Not through the console that folds long words.
        }
    }

    private static void Stack(IReadOnlyList<string> columns, IReadOnlyList<string>[] rows)
    {
        int name = columns.Skip(1).Max(c => c.Length);
        foreach (IReadOnlyList<string> row in rows)
        {
            AnsiConsole.MarkupLine($"[bold]{Markup.Escape(row[0])}[/]");
            for (int i = 1; i < columns.Count; i++)
            {
                AnsiConsole.Markup($"  {Markup.Escape(columns[i].PadRight(name))}  {(Shown(row[i]) == Markup.Escape(row[i]) ? string.Empty : Shown(row[i]))}");
                Console.WriteLine(Shown(row[i]) == Markup.Escape(row[i]) ? row[i] : string.Empty);
            }
        }
    }

    /// <summary>States in colour, where the terminal has it and NO_COLOR is not set.</summary>
    private static string Shown(string cell) => cell switch
    {
        "completed" => "[green]completed[/]",
        "failed" => "[red]failed[/]",
        "running" => "[blue]running[/]",
        "interrupted" => "[yellow]interrupted[/]",
        _ => Markup.Escape(cell),
    };

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
