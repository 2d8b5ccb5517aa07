using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Accounting;

/// <summary>What a request may cost, what it did cost, and which key pays. Thread-safe.</summary>
internal sealed partial class Accounts(Limiter limiter, UsageLog usage, ModelRules rules, ILogger<Accounts> log)
{
    /// <summary>
    /// A request that sets no bound is taken to write at most that much; what it writes beyond is settled afterwards.
    /// </summary>
    public const int TypicalOutput = 4096;

    /// <summary>No model writes as much; beyond it numbers would only overflow.</summary>
    private const int MostOutput = 100_000_000;

    /// <summary>Null: nothing limits this caller.</summary>
    /// <exception cref="RefusedException">A limit is reached.</exception>
    /// <exception cref="StoreMissingException">Limits cannot be checked.</exception>
    public async Task<Admission?> AdmitAsync(Caller caller, ModelRequest request, Plan plan)
    {
        if (caller.Key is not { IsLimited: true } key)
            return null;
        var output = (long)(request.Envelope.MaxTokens ?? TypicalOutput) * request.Envelope.Count;
        var most = new Usage(LongestInput(request), (int)Math.Min(output, MostOutput));
        // The most expensive of the targets that may answer.
        var nanos = plan.Targets.Concat(plan.OnContext).Concat(plan.OnFilter).Max(target => CostOf(target, most));
        var (admission, refusal) = await limiter.AdmitAsync(key, most.Total, nanos);
        return refusal is null ? admission : throw new RefusedException(refusal);
    }

    // Tokenizers differ; two bytes for a token is more than any needs for a language, and images are counted by their
    // bytes too.
    private static int LongestInput(ModelRequest request) => request.Body.Length / 2 + 1;

    /// <summary>
    /// When a provider does not count: four bytes for a token that went in, a piece for a token that came out.
    /// </summary>
    public static Usage Estimate(ModelRequest request, int pieces) => new(request.Body.Length / 4 + 1, pieces);

    /// <summary>In billionths of a dollar; 0 without a price.</summary>
    public long CostOf(Target target, Usage used) =>
        rules.PriceOf(target.Id)?.Of(used.Input, used.CacheRead, used.Output) ?? 0;

    public async Task SettleAsync(
        Caller caller,
        string model,
        Admission? admission,
        Usage? used,
        long nanos,
        bool failed
    )
    {
        usage.Add(caller.Id, model, failed, used, nanos);
        if (admission is null)
            return;
        try
        {
            await limiter.SettleAsync(admission, used?.Total ?? 0, nanos);
        }
        catch (StoreMissingException missing)
        {
            // The reservation stays as if it were spent: rather too much counted than too little.
            LogNotSettled(caller.Key!.Name, missing.Message);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A request of key {Key} is counted at its upper bound: {Reason}"
    )]
    private partial void LogNotSettled(string key, string reason);
}
