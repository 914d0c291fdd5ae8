namespace DaNas.Domain.Evaluation;

/// <summary>Student's t for confidence intervals.</summary>
public static class Student
{
    /// <summary>
    /// The value that |t| of the given degrees of freedom stays under with probability <paramref name="confidence"/>: exact for 1 and 2
    /// degrees, else Hill's expansion (CACM algorithm 396, 1970; relative error under 1e-3).
    /// </summary>
    public static double Quantile(double confidence, int degrees)
    {
        double p = 1 - confidence;
        if (degrees == 1)
            return 1 / Math.Tan(p * Math.PI / 2);
        if (degrees == 2)
            return Math.Sqrt((2 / (p * (2 - p))) - 2);
        double n = degrees;
        double a = 1 / (n - 0.5);
        double b = 48 / (a * a);
        double c = ((((20700 * a / b) - 98) * a - 16) * a) + 96.36;
        double d = ((((94.5 / (b + c)) - 3) / b) + 1) * Math.Sqrt(a * Math.PI / 2) * n;
        double y = Math.Pow(d * p, 2 / n);
        if (y <= 0.05 + a)
        {
            y = ((((1 / ((((n + 6) / (n * y)) - (0.089 * d) - 0.822) * (n + 2) * 3)) + (0.5 / (n + 4))) * y) - 1)
                * (n + 1) / (n + 2) + (1 / y);
            return Math.Sqrt(n * y);
        }

        double x = Normal(p / 2);
        y = x * x;
        if (degrees < 5)
            c += 0.3 * (n - 4.5) * (x + 0.6);
        c += (((((((0.05 * d * x) - 5) * x) - 7) * x) - 2) * x) + b;
        y = (((((((((0.4 * y) + 6.3) * y) + 36) * y) + 94.5) / c) - y - 3) / b + 1) * x;
        y = a * y * y;
        y = y > 0.002 ? Math.Exp(y) - 1 : (0.5 * y * y) + y;
        return Math.Sqrt(n * y);
    }

    /// <summary>
    /// Lower-tail quantile of the standard normal (Abramowitz and Stegun 26.2.23, absolute error under 4.5e-4), negative for p under 0.5.
    /// </summary>
    private static double Normal(double p)
    {
        double t = Math.Sqrt(-2 * Math.Log(p));
        return -(t - ((2.515517 + (0.802853 * t) + (0.010328 * t * t))
            / (1 + (1.432788 * t) + (0.189269 * t * t) + (0.001308 * t * t * t))));
    }
}
