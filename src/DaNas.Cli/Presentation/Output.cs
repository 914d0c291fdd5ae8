using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using DaNas.Reports;
using Spectre.Console;

namespace DaNas.Cli.Presentation;

/// <summary>Tables for people, JSON for programs.</summary>
internal static class Output
{
    /// <summary>Spaces between columns.</summary>
    private const int Gap = 3;

    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = false,
        Converters = { new JsonStringEnumConverter() }
    };

    /// <summary>One line of JSON under a name and a version: see <see cref="JsonSchemas"/>.</summary>
    public static void PrintJson<T>(string name, T value) => Console.WriteLine(JsonSchemas.Text(name, value, Json));

    /// <summary>
    /// A table that is as wide as its words; where a terminal is narrower, the last column or all of them come one under the other, since
    /// no word may be cut that somebody wants to copy.
    /// </summary>
    public static void PrintTable(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        IReadOnlyList<string>[] all = [.. rows];
        int[] widths = [.. columns.Select((c, i) => all.Select(r => r[i].Length).Append(c.Length).Max() + Gap)];
        if (Console.IsOutputRedirected || widths.Sum() + 2 <= AnsiConsole.Profile.Width)
            Wide(columns, all, widths.Sum());
        else if (widths[..^1].Sum() <= AnsiConsole.Profile.Width)
            Broken(columns, all, widths, widths.Sum() - Gap <= AnsiConsole.Profile.Width ? string.Empty : "\n    ");
        else
            Stack(columns, all);
    }

    public static void PrintText(string text) => Console.WriteLine(Wrapped(text));

    public static void PrintError(string text) => Console.Error
        .WriteLine(Console.IsErrorRedirected ? text : Wrapped(text, AnsiConsole.Profile.Width));

    /// <summary>What there is to say beside a result, where there is something.</summary>
    public static void PrintRemark(string? text)
    {
        if (text is not null)
            PrintError(text);
    }

    /// <summary>Sentences, broken between words where a terminal is narrower.</summary>
    public static string Wrapped(string text) => Console.IsOutputRedirected ? text : Wrapped(text, AnsiConsole.Profile.Width);

    internal static string Wrapped(string text, int width) => string.Join('\n', text.Split('\n').Select(line =>
    {
        StringBuilder wrapped = new();
        int at = 0;
        foreach (string word in line.Split(' '))
        {
            bool breaks = at > 2 && at + 1 + word.Length > width;
            wrapped.Append(breaks ? "\n  " : wrapped.Length > 0 || at > 0 ? " " : string.Empty).Append(word);
            at = (breaks ? 2 : at > 0 ? at + 1 : 0) + word.Length;
        }

        return wrapped.ToString();
    }));

    /// <summary>
    /// A text's beginning, for the rest of a line after so many characters: what the terminal has room for, otherwise 140.
    /// </summary>
    public static string Cut(string text, int after)
    {
        int room = Console.IsOutputRedirected ? 140 : Math.Max(20, AnsiConsole.Profile.Width - after);
        return text.Length > room ? text[..(room - 3)] + "..." : text;
    }

    private static void Wide(IReadOnlyList<string> columns, IReadOnlyList<string>[] rows, int width)
    {
        IAnsiConsole console =
            AnsiConsole.Create(new AnsiConsoleSettings { Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect });
        console.Profile.Width = width + 2;
        Table table = new Table().Border(TableBorder.Simple);
        foreach (string column in columns)
            table.AddColumn(new TableColumn(Markup.Escape(column)).NoWrap());
        foreach (IReadOnlyList<string> row in rows)
            table.AddRow([.. row.Select(Shown)]);
        console.Write(table);
    }

    /// <summary>Without a border; what stands before the last column may be a new line.</summary>
    private static void Broken(IReadOnlyList<string> columns, IReadOnlyList<string>[] rows, int[] widths, string beforeLast)
    {
        foreach (IReadOnlyList<string> row in rows.Prepend(columns))
        {
            string cells = string.Concat(row.SkipLast(1).Select((cell, i) => Shown(cell) + new string(' ', widths[i] - cell.Length)));
            AnsiConsole.Markup(beforeLast.Length == 0 ? cells : cells.TrimEnd());
            Console.WriteLine(beforeLast + row[^1]); // Not through the console that folds long words.
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
                AnsiConsole.Markup($"  {Markup.Escape(columns[i].PadRight(name))}  " +
                    $"{(Shown(row[i]) == Markup.Escape(row[i]) ? string.Empty : Shown(row[i]))}");
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
}
