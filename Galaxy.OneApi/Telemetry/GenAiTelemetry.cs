using System.Diagnostics;
using System.Diagnostics.Metrics;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;

namespace Galaxy.OneApi.Telemetry;

/// <summary>Spans and metrics after OpenTelemetry's semantic conventions for generative AI.</summary>
internal static class GenAiTelemetry
{
    private static readonly ActivitySource Source = new("Galaxy.OneApi");
    private static readonly Meter Meter = new("Galaxy.OneApi");
    private static readonly Histogram<long> Tokens = Meter.CreateHistogram<long>(
        "gen_ai.client.token.usage",
        "{token}",
        "Tokens of a request, by gen_ai.token.type"
    );
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "gen_ai.client.operation.duration",
        "s",
        "Time of a request"
    );
    private static readonly Histogram<double> FirstToken = Meter.CreateHistogram<double>(
        "gen_ai.server.time_to_first_token",
        "s",
        "Time to the first token, or to the whole answer"
    );
    private static readonly Histogram<double> Cost = Meter.CreateHistogram<double>(
        "galaxy.oneapi.cost",
        "{USD}",
        "Cost of a request after the price table"
    );
    private static readonly Counter<long> Fallbacks = Meter.CreateCounter<long>(
        "galaxy.oneapi.fallbacks",
        "{request}",
        "Requests that were answered only after another try"
    );

    public static Activity? Start(string operation, string model)
    {
        var activity = Source.StartActivity($"{operation} {model}", ActivityKind.Client);
        activity?.SetTag("gen_ai.operation.name", operation);
        activity?.SetTag("gen_ai.request.model", model);
        return activity;
    }

    public static void Answered(Activity? activity, Won won)
    {
        if (activity is null)
            return;
        activity.SetTag("gen_ai.provider.name", won.Target.Owner);
        activity.SetTag("gen_ai.response.model", won.Target.Model);
        activity.SetTag("galaxy.oneapi.attempts", won.Tries);
        if (won.Target.Provider is { } provider)
            activity.SetTag("server.address", provider.BaseUrl.Host);
    }

    public static void Ended(
        Activity? activity,
        string operation,
        string owner,
        string model,
        TimeSpan took,
        double firstTokenMilliseconds,
        int tries,
        Usage? usage,
        double cost,
        ModelError? error
    )
    {
        if (usage is not null)
        {
            activity?.SetTag("gen_ai.usage.input_tokens", usage.Input);
            activity?.SetTag("gen_ai.usage.output_tokens", usage.Output);
        }
        if (error is not null)
        {
            activity?.SetTag("error.type", error.Kind.ToString());
            activity?.SetStatus(ActivityStatusCode.Error, error.Message);
        }
        if (tries > 1 && error is null)
            Fallbacks.Add(1);
        if (!Duration.Enabled)
            return;
        var tags = new TagList
        {
            { "gen_ai.operation.name", operation },
            { "gen_ai.provider.name", owner },
            { "gen_ai.request.model", model },
        };
        if (usage is not null)
        {
            Tokens.Record(usage.Input, [.. tags, new("gen_ai.token.type", "input")]);
            Tokens.Record(usage.Output, [.. tags, new("gen_ai.token.type", "output")]);
            Cost.Record(cost, tags);
        }
        if (firstTokenMilliseconds > 0)
            FirstToken.Record(firstTokenMilliseconds / 1000, tags);
        if (error is not null)
            tags.Add("error.type", error.Kind.ToString());
        Duration.Record(took.TotalSeconds, tags);
    }
}
