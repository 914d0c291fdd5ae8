namespace DaNas.Domain.Work;

/// <summary>Where a round stands in the whole search: what learning rate, temperature and data cursor are functions of.</summary>
public sealed record RoundSchedule(int GlobalRound, int TotalRounds, int StageRound, double Temperature, double RateScale);
