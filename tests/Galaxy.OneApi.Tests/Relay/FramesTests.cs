using System.Text;
using CsCheck;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Requests;

namespace Galaxy.OneApi.Tests.Relay;

/// <summary>What reads bytes from the network survives any bytes.</summary>
public class FramesTests
{
    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    [Fact]
    public void Events_are_the_same_however_they_are_cut() =>
        Gen.Select(
                OneOf(
                    "data: a\n\n",
                    ": c\r\n\r\n",
                    "event: x\ndata: é\ndata: b\n\n",
                    "data:{}\n\r\n",
                    "id: 1\n\n"
                ).List[0, 8],
                Gen.Int[1, 9].List[1, 20],
                OneOf("", "data: torn")
            )
            .Sample(
                (events, cuts, rest) =>
                {
                    var bytes = Encoding.UTF8.GetBytes(string.Concat(events) + rest);
                    using var frames = new SseFrames();
                    List<string> taken = [];
                    for (int at = 0, i = 0; at < bytes.Length; i++)
                    {
                        var size = Math.Min(cuts[i % cuts.Count], bytes.Length - at);
                        frames.Add(bytes.AsSpan(at, size));
                        at += size;
                        while (frames.TryTake(out var frame))
                            taken.Add(Encoding.UTF8.GetString(frame));
                    }
                    Assert.Equal(events, taken);
                    Assert.Equal(rest, Encoding.UTF8.GetString(frames.Rest));
                },
                iter: 2000
            );

    [Fact]
    public void Any_bytes_are_a_stream_or_none_but_never_a_crash() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[0, 3])
            .Sample(
                (noise, dialect) =>
                {
                    ProviderDialect speaks = dialect switch
                    {
                        0 => new Galaxy.OneApi.Dialects.OpenAi.ChatProvider(),
                        1 => new Galaxy.OneApi.Dialects.Anthropic.MessagesProvider(),
                        2 => new Galaxy.OneApi.Dialects.Gemini.GeminiProvider(),
                        _ => new Galaxy.OneApi.Dialects.OpenAi.ResponsesProvider(),
                    };
                    using var watch = new StreamWatch(speaks);
                    try
                    {
                        watch.Add(
                            "data: {\"choices\":[{\"delta\":7}],\"type\":1,\"candidates\":[[]],\"error\":null}\n\n"u8
                        );
                        watch.Add(noise);
                        watch.Add("\n\n"u8);
                    }
                    catch (Exception expected)
                        when (expected
                                is System.Text.Json.JsonException
                                    or InvalidDataException
                                    or InvalidOperationException
                        )
                    {
                        // What callers are told to expect.
                    }
                },
                iter: 5000
            );

    [Fact]
    public void Any_bytes_are_a_request_or_a_named_mistake() =>
        Gen.OneOf(
                Gen.Byte.Array[0, 100],
                OneOf(
                    "{\"model\":",
                    "\"m\"",
                    "}",
                    "{",
                    "[",
                    "]",
                    ",",
                    ":",
                    "\"messages\"",
                    "1e999",
                    "null",
                    "\"stream_options\"",
                    "\\u0000",
                    " "
                )
                    .List[0, 30]
                    .Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts)))
            )
            .Sample(
                body =>
                {
                    try
                    {
                        var envelope = Envelope.Read(body, "messages");
                        Assert.NotEmpty(envelope.Model);
                        _ = envelope.WithModel(body, "other", askForUsage: true);
                        _ = ModelRequest.Parse(body);
                    }
                    catch (BadFieldException named)
                    {
                        Assert.NotEmpty(named.Message);
                    }
                },
                iter: 20_000
            );

    [Fact]
    public void Only_the_name_of_the_model_and_the_wish_for_usage_change()
    {
        static string Changed(string body, bool usage) =>
            Encoding.UTF8.GetString(
                Envelope
                    .Read(Encoding.UTF8.GetBytes(body), "messages")
                    .WithModel(Encoding.UTF8.GetBytes(body), "é", usage)
                    .Span
            );

        Assert.Equal(
            """{"messages":[], "model" : "\u00E9" ,"x":1 }""",
            Changed("""{"messages":[], "model" : "a\/b" ,"x":1 }""", false)
        );
        Assert.Equal(
            """{"model":"\u00E9","messages":[],"stream_options":{"include_usage":true}}""",
            Changed("""{"model":"a","messages":[]}""", true)
        );
        Assert.Equal(
            """{"stream_options":{"x":1,"include_usage":true},"model":"\u00E9","messages":[]}""",
            Changed("""{"stream_options":{"x":1,"include_usage":false},"model":"a","messages":[]}""", true)
        );
    }
}
