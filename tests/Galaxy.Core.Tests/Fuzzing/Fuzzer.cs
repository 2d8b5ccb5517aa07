using System.Diagnostics;
using System.Globalization;

namespace Galaxy.Core.Tests.Fuzzing;

/// <summary>What a run has tried.</summary>
/// <param name="Understood">Inputs that the parser accepted.</param>
/// <param name="Shapes">Different outcomes that the target told apart.</param>
/// <param name="MostBytes">The most memory that one input made the target allocate.</param>
internal sealed record FuzzReport(long Inputs, long Understood, int Shapes, long MostBytes, TimeSpan Took)
{
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Inputs:N0} inputs in {Took.TotalSeconds:0} s, {100.0 * Understood / Inputs:0} % understood, "
                + $"{Shapes} shapes, at most {MostBytes:N0} bytes allocated by one"
        );
}

/// <summary>
/// Feeds a target with damaged forms of good inputs. An input whose outcome has a shape that was not seen before joins
/// the corpus, so that the damage builds up. Fails on an exception, on an input that takes seconds, and on one that
/// makes the target allocate out of proportion; each time with the input as hexadecimal text, to be kept in the
/// target's corpus file.
/// </summary>
/// <param name="target">Parses and uses the input; the shape of what came of it, or null when it was refused.</param>
/// <param name="mostBytes">That one input may make the target allocate.</param>
internal sealed class Fuzzer(
    Func<byte[], int?> target,
    IReadOnlyList<byte[]> corpus,
    IReadOnlyList<byte[]> words,
    int longest,
    long mostBytes
)
{
    private const int MostKept = 4096;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(2);

    /// <summary><c>GALAXY_FUZZ=10000000</c>: that many inputs; otherwise as many as fit in 20 s.</summary>
    public FuzzReport Run(int seed)
    {
        var wanted = Environment.GetEnvironmentVariable("GALAXY_FUZZ") is { Length: > 0 } text
            ? long.Parse(text, CultureInfo.InvariantCulture)
            : long.MaxValue;
        var patience = wanted == long.MaxValue ? TimeSpan.FromSeconds(20) : TimeSpan.FromHours(2);
        var random = new Random(seed);
        var mutator = new Mutator(random, words, longest);
        var kept = new List<byte[]>(corpus);
        var shapes = new HashSet<int>();
        var (inputs, understood, most) = (0L, 0L, 0L);
        var started = Stopwatch.GetTimestamp();
        foreach (var known in corpus)
            Try(known);
        while (inputs < wanted && Stopwatch.GetElapsedTime(started) < patience)
            Try(mutator.Damage(kept));
        return new FuzzReport(inputs, understood, shapes.Count, most, Stopwatch.GetElapsedTime(started));

        void Try(byte[] input)
        {
            inputs++;
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var began = Stopwatch.GetTimestamp();
            int? shape;
            try
            {
                shape = target(input);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException(
                    $"after {inputs} inputs: {failure.GetType().Name} on {Convert.ToHexStringLower(input)}",
                    failure
                );
            }
            var took = Stopwatch.GetElapsedTime(began);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            most = Math.Max(most, allocated);
            Assert.True(
                allocated <= mostBytes,
                $"after {inputs} inputs: {allocated} bytes allocated on {Convert.ToHexStringLower(input)}"
            );
            Assert.True(
                took < Hang || !IsSlowAgain(input),
                $"after {inputs} inputs: {took.TotalSeconds} s for {Convert.ToHexStringLower(input)}"
            );
            if (shape is null)
                return;
            understood++;
            if (shapes.Add(shape.Value) && kept.Count < MostKept)
                kept.Add(input);
        }
    }

    // Once may be the machine.
    private bool IsSlowAgain(byte[] input)
    {
        var began = Stopwatch.GetTimestamp();
        target(input);
        return Stopwatch.GetElapsedTime(began) >= Hang;
    }

    /// <summary>A file of inputs: lines of <c># a comment</c> or hexadecimal digits.</summary>
    public static IReadOnlyList<byte[]> Read(string path) =>
        [
            .. File.ReadLines(path)
                .Select(line => line.Trim())
                .Where(line => line.Length > 0 && line[0] != '#')
                .Select(Convert.FromHexString),
        ];
}
