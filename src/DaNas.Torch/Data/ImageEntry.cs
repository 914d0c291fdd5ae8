namespace DaNas.Torch.Data;

/// <summary>One image of a data set before it is decoded: its class, and the name by which errors speak of it.</summary>
public readonly record struct ImageEntry(int Class, string Name, long Offset);
