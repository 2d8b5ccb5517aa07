using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects;

/// <summary>Why a model stopped.</summary>
internal enum Finish
{
    Stop,
    StopSequence,
    Length,
    ToolCalls,
    ContentFilter,
    ContextLength,
    Pause,
}

/// <summary>
/// Tokens. <paramref name="Input"/> counts all that went in, <paramref name="Output"/> all that came out; the others
/// are parts of these.
/// </summary>
internal sealed record Usage(int Input, int Output, int CacheRead = 0, int CacheWrite = 0, int Reasoning = 0)
{
    public int Total => Input + Output;
}

/// <param name="LogProbs">OpenAI's object, carried as it is.</param>
internal sealed record Choice(
    int Index,
    IReadOnlyList<Part> Parts,
    Finish Finish,
    string? StopSequence = null,
    JsonNode? LogProbs = null
);

/// <summary>What a model answered, in no dialect.</summary>
internal sealed record Answer(string Id, string Model, IReadOnlyList<Choice> Choices, Usage Usage)
{
    /// <summary>Addresses of sources that the answer rests on (Perplexity).</summary>
    public IReadOnlyList<string> Citations { get; init; } = [];
}

/// <summary>
/// A step of an answer that comes in pieces. Steps of one choice come in order: text, thinking and tool calls one after
/// the other.
/// </summary>
internal abstract record AnswerEvent;

internal sealed record Began(string Id, string Model, Usage? Usage = null) : AnswerEvent;

internal sealed record TextCame(int Choice, string Text, JsonNode? LogProbs = null) : AnswerEvent;

internal sealed record ThinkingCame(int Choice, string Text) : AnswerEvent;

internal sealed record ThinkingSigned(int Choice, string Signature) : AnswerEvent;

internal sealed record RefusalCame(int Choice, string Text) : AnswerEvent;

/// <param name="Index">Of the call among the calls of this choice, from 0.</param>
internal sealed record ToolCallBegan(int Choice, int Index, string Id, string Name, string? Signature = null)
    : AnswerEvent;

internal sealed record ArgumentsCame(int Choice, int Index, string Fragment) : AnswerEvent;

internal sealed record Finished(int Choice, Finish Finish, string? StopSequence = null) : AnswerEvent;

internal sealed record UsageCame(Usage Usage) : AnswerEvent;

internal sealed record Cited(IReadOnlyList<string> Sources) : AnswerEvent;

/// <summary>The upstream said inside its stream that it failed.</summary>
internal sealed record Broke(ModelError Error) : AnswerEvent;

/// <summary>The upstream said that it is done; a stream without it was cut off.</summary>
internal sealed record Ended : AnswerEvent;

internal static class AnswerEvents
{
    /// <summary>The same answer in pieces.</summary>
    public static IEnumerable<AnswerEvent> Of(Answer answer)
    {
        yield return new Began(answer.Id, answer.Model, answer.Usage with { Output = 0 });
        foreach (var choice in answer.Choices)
        {
            var calls = 0;
            foreach (var part in choice.Parts)
            {
                switch (part)
                {
                    case TextPart text:
                        yield return new TextCame(choice.Index, text.Text, choice.LogProbs);
                        break;
                    case ThinkingPart thinking:
                        yield return new ThinkingCame(choice.Index, thinking.Text);
                        if (thinking.Signature is not null)
                            yield return new ThinkingSigned(choice.Index, thinking.Signature);
                        break;
                    case RefusalPart refusal:
                        yield return new RefusalCame(choice.Index, refusal.Text);
                        break;
                    case ToolCallPart call:
                        yield return new ToolCallBegan(choice.Index, calls, call.Id, call.Name, call.Signature);
                        yield return new ArgumentsCame(choice.Index, calls++, call.Arguments);
                        break;
                }
            }
            yield return new Finished(choice.Index, choice.Finish, choice.StopSequence);
        }
        if (answer.Citations.Count > 0)
            yield return new Cited(answer.Citations);
        yield return new UsageCame(answer.Usage);
        yield return new Ended();
    }
}
