using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.Anthropic;
using Galaxy.OneApi.Dialects.Gemini;
using Galaxy.OneApi.Dialects.OpenAi;
using Galaxy.OneApi.Dialects.Responses;

namespace Galaxy.OneApi.Tests.Dialects;

/// <summary>
/// What becomes of requests, answers and streams on their way from one dialect to another, after the providers' public
/// references.
/// </summary>
public class TranslationTests
{
    private const string Full = """
        {"model":"x","max_completion_tokens":100,"temperature":0.5,"top_p":0.9,"stop":["END"],"user":"ada",
          "parallel_tool_calls":false,"reasoning_effort":"low",
         "response_format":{"type":"json_schema","json_schema":{"name":"w","strict":true,"schema":{"type":"object",
           "properties":{"a":{"type":"string"}}}}},
         "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],
           "tool_choice":{"type":"function","function":{"name":"f"}},
         "messages":[{"role":"system","content":"be kind"},{"role":"developer","content":"be brief"},
          {"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url",
            "image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url",
            "image_url":{"url":"https://h/i.png"}}]},
          {"role":"assistant","content":"calling","tool_calls":[{"id":"c1","type":"function","function":{"name":"f",
            "arguments":"{\"q\":1}"}},{"id":"c2","type":"function","function":{"name":"f","arguments":""}}]},
          {"role":"tool","tool_call_id":"c1","content":"one"},{"role":"tool","tool_call_id":"c2","content":"two"},
            {"role":"user","content":"go on"}]}
        """;

    private static JsonObject Json(string json) => JsonNode.Parse(json)!.AsObject();

    private static string Same(string json) => JsonNode.Parse(json)!.ToJsonString(Sse.Json);

    [Fact]
    public void A_chat_becomes_a_message_of_anthropics()
    {
        var losses = new Losses();
        var body = MessagesWriter.Write(ChatRequest.Read(Json(Full)), "claude", losses);

        Assert.Empty(losses.Names);
        Assert.Equal(
            Same(
                """
                {"model":"claude","max_tokens":100,"system":"be kind\n\nbe brief",
                 "messages":[
                  {"role":"user","content":[{"type":"text","text":"look"},{"type":"image","source":{"type":"base64",
                    "media_type":"image/png","data":"AAAA"}},{"type":"image","source":{"type":"url",
                    "url":"https://h/i.png"}}]},
                  {"role":"assistant","content":[{"type":"text","text":"calling"},{"type":"tool_use","id":"c1",
                    "name":"f","input":{"q":1}},{"type":"tool_use","id":"c2","name":"f","input":{}}]},
                  {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"one"},
                    {"type":"tool_result","tool_use_id":"c2","content":"two"},{"type":"text","text":"go on"}]}],
                 "tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],
                   "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},
                 "temperature":0.5,"top_p":0.9,"stop_sequences":["END"],
                 "output_config":{"format":{"type":"json_schema","schema":{"type":"object",
                   "properties":{"a":{"type":"string"}}}},"effort":"low"},"metadata":{"user_id":"ada"}}
                """
            ),
            body.ToJsonString(Sse.Json)
        );
    }

    [Fact]
    public void A_chat_becomes_contents_of_geminis_and_says_what_is_lost()
    {
        var losses = new Losses();
        var body = GeminiWriter.Write(ChatRequest.Read(Json(Full)), "gemini-2.5-flash", losses);

        Assert.Equal(["parallel_tool_calls"], losses.Names);
        Assert.Equal(["user"], losses.Hints);
        Assert.Equal("model", body["contents"]![1]!["role"]!.GetValue<string>());
        Assert.Equal(
            Same("""{"functionCall":{"name":"f","args":{"q":1}}}"""),
            body["contents"]![1]!["parts"]![1]!.ToJsonString(Sse.Json)
        );
        Assert.Equal(
            Same("""{"functionResponse":{"name":"f","response":{"result":"one"}}}"""),
            body["contents"]![2]!["parts"]![0]!.ToJsonString(Sse.Json)
        );
        Assert.Equal(
            Same("""{"inlineData":{"mimeType":"image/png","data":"AAAA"}}"""),
            body["contents"]![0]!["parts"]![1]!.ToJsonString(Sse.Json)
        );
        Assert.Equal(
            Same("""{"mode":"ANY","allowedFunctionNames":["f"]}"""),
            body["toolConfig"]!["functionCallingConfig"]!.ToJsonString(Sse.Json)
        );
        Assert.Equal(
            Same(
                """{"maxOutputTokens":100,"temperature":0.5,"topP":0.9,"stopSequences":"""
                    + """["END"],"responseMimeType":"application/json","responseJsonSchema":"""
                    + """{"type":"object","properties":{"a":{"type":"string"}}},"thinkingConfig":"""
                    + """{"thinkingBudget":1024,"includeThoughts":true}}"""
            ),
            body["generationConfig"]!.ToJsonString(Sse.Json)
        );
    }

    [Fact]
    public void A_message_of_anthropics_becomes_a_chat()
    {
        var losses = new Losses();
        var asked = MessagesRequest.Read(
            Json(
                """
                {"model":"m","max_tokens":50,"system":[{"type":"text","text":"be kind","cache_control":{"type":"ephemeral"}}],"stop_sequences":["X"],"stream":true,"thinking":{"type":"enabled","budget_tokens":2000},
                 "tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},
                 "messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}]},
                  {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":true,"content":[{"type":"text","text":"bad"}]},{"type":"text","text":"again"}]}]}
                """
            )
        );
        var body = ChatWriter.Write(asked, "m", "max_tokens", losses);

        Assert.Empty(asked.Unknown);
        Assert.Equal(["system[0].cache_control"], asked.Hints);
        Assert.Equal(["thinking"], losses.Hints);
        Assert.Equal(
            Same(
                """
                {"model":"m","messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi"},
                  {"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
                  {"role":"tool","tool_call_id":"t","content":"Error: bad"},{"role":"user","content":"again"}],
                 "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"required","parallel_tool_calls":false,"max_tokens":50,"stop":["X"],
                 "reasoning_effort":"low","stream":true,"stream_options":{"include_usage":true}}
                """
            ),
            body.ToJsonString(Sse.Json)
        );
    }

    [Theory]
    [InlineData("end_turn", "stop")]
    [InlineData("max_tokens", "length")]
    [InlineData("stop_sequence", "stop")]
    [InlineData("tool_use", "tool_calls")]
    [InlineData("refusal", "content_filter")]
    [InlineData("model_context_window_exceeded", "length")]
    public void Reasons_to_stop_are_translated(string anthropic, string openai)
    {
        var answer = MessagesAnswer.Read(
            Json(
                $$$"""{"id":"m1","model":"c","content":[{"type":"text","text":"x"}],"stop_reason":"{{{anthropic}}}","usage":{"input_tokens":5,"cache_read_input_tokens":3,"cache_creation_input_tokens":2,"output_tokens":7} }"""
            )
        );
        var chat = ChatAnswer.Write(answer, 1);

        Assert.Equal(openai, chat["choices"]![0]!["finish_reason"]!.GetValue<string>());
        // Anthropic counts what came from its cache beside the rest, OpenAI within it.
        Assert.Equal(
            Same(
                """{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":3}}"""
            ),
            chat["usage"]!.ToJsonString()
        );
        Assert.Equal(
            Same(
                """{"input_tokens":5,"output_tokens":7,"cache_creation_input_tokens":2,"cache_read_input_tokens":3}"""
            ),
            MessagesAnswer.Write(answer)["usage"]!.ToJsonString()
        );
    }

    [Theory]
    [InlineData("STOP", "stop")]
    [InlineData("MAX_TOKENS", "length")]
    [InlineData("SAFETY", "content_filter")]
    public void Reasons_of_geminis_too(string gemini, string openai)
    {
        var answer = GeminiAnswer.Read(
            Json(
                $$$"""{"responseId":"r","modelVersion":"g","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"x"}]},"finishReason":"{{{gemini}}}"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,"thoughtsTokenCount":2,"cachedContentTokenCount":1} }"""
            )
        );
        var chat = ChatAnswer.Write(answer, 1);

        Assert.Equal(openai, chat["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.Equal(
            ("x", "hm"),
            (
                chat["choices"]![0]!["message"]!["content"]!.GetValue<string>(),
                chat["choices"]![0]!["message"]!["reasoning_content"]!.GetValue<string>()
            )
        );
        Assert.Equal(
            Same(
                """{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":{"reasoning_tokens":2}}"""
            ),
            chat["usage"]!.ToJsonString()
        );
    }

    [Fact]
    public void What_gemini_will_not_even_look_at_is_a_filtered_answer()
    {
        var answer = GeminiAnswer.Read(
            Json("""{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":5}}""")
        );
        Assert.Equal(Finish.ContentFilter, answer.Choices[0].Finish);
    }

    [Fact]
    public void Signatures_of_thoughts_go_round()
    {
        var answer = GeminiAnswer.Read(
            Json(
                """{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"""
                    + """}},"thoughtSignature":"SIG"}]},"finishReason":"STOP"}]}"""
            )
        );
        var message = ChatAnswer.Write(answer, 1)["choices"]![0]!["message"]!;
        Assert.Equal("tool_calls", ChatAnswer.Write(answer, 1)["choices"]![0]!["finish_reason"]!.GetValue<string>());

        var again = new JsonObject
        {
            ["model"] = "g",
            ["messages"] = new JsonArray(
                message.DeepClone(),
                new JsonObject
                {
                    ["role"] = "tool",
                    ["tool_call_id"] = message["tool_calls"]![0]!["id"]!.DeepClone(),
                    ["content"] = "ok",
                }
            ),
        };
        var body = GeminiWriter.Write(ChatRequest.Read(again), "gemini-3-pro", new Losses());
        Assert.Equal("SIG", body["contents"]![0]!["parts"]![0]!["thoughtSignature"]!.GetValue<string>());

        message["tool_calls"]![0]!.AsObject().Remove("extra_content");
        again["messages"]![0] = message.DeepClone();
        body = GeminiWriter.Write(ChatRequest.Read(again), "gemini-3-pro", new Losses());
        Assert.Equal(
            "skip_thought_signature_validator",
            body["contents"]![0]!["parts"]![0]!["thoughtSignature"]!.GetValue<string>()
        );
    }

    private static readonly string[] AnthropicStream =
    [
        """{"type":"message_start","message":{"id":"m1","model":"c","usage":{"input_tokens":5,"output_tokens":1}}}""",
        """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
        """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}""",
        """{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}""",
        """{"type":"content_block_stop","index":0}""",
        """{"type":"ping"}""",
        """{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}""",
        """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hel"}}""",
        """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"lo"}}""",
        """{"type":"content_block_stop","index":1}""",
        """{"type":"content_block_start","index":2,"content_block":"""
            + """{"type":"tool_use","id":"t1","name":"f","input":{}}}""",
        """{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}""",
        """{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}}""",
        """{"type":"content_block_stop","index":2}""",
        """{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":"""
            + """{"output_tokens":20}}""",
        """{"type":"message_stop"}""",
    ];

    private static List<AnswerEvent> Steps()
    {
        var reader = new MessagesStreamReader();
        return [.. AnthropicStream.SelectMany(reader.Read)];
    }

    private static List<JsonNode> Written(IAnswerWriter writer, IEnumerable<AnswerEvent> steps)
    {
        var output = new ArrayBufferWriter<byte>();
        foreach (var step in steps)
            writer.Write(step, output);
        return
        [
            .. Encoding
                .UTF8.GetString(output.WrittenSpan)
                .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
                .Select(frame => frame.Split("data: ")[1])
                .Where(data => data != "[DONE]")
                .Select(data => JsonNode.Parse(data)!),
        ];
    }

    private static Conversation Asked =>
        new()
        {
            Model = "m",
            Messages = [],
            Stream = true,
            IncludeUsage = true,
        };

    [Fact]
    public void A_stream_of_anthropics_becomes_chunks()
    {
        var chunks = Written(new ChatStreamWriter(Asked, 1), Steps());
        var deltas = chunks
            .SelectMany(chunk => chunk["choices"]!.AsArray())
            .Select(choice => choice!["delta"]!)
            .ToList();

        Assert.Equal("assistant", deltas[0]["role"]!.GetValue<string>());
        Assert.Equal("Hello", string.Concat(deltas.Select(delta => delta["content"]?.GetValue<string>())));
        Assert.Equal("hm", string.Concat(deltas.Select(delta => delta["reasoning_content"]?.GetValue<string>())));
        var calls = deltas
            .Where(delta => delta["tool_calls"] is not null)
            .Select(delta => delta["tool_calls"]![0]!)
            .ToList();
        Assert.Equal(
            ("t1", "f", 0),
            (
                calls[0]["id"]!.GetValue<string>(),
                calls[0]["function"]!["name"]!.GetValue<string>(),
                calls[0]["index"]!.GetValue<int>()
            )
        );
        Assert.Equal(
            """{"a":1}""",
            string.Concat(calls.Select(call => call["function"]!["arguments"]?.GetValue<string>()))
        );
        Assert.Equal("tool_calls", chunks[^2]["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.Equal(
            (5, 20),
            (
                chunks[^1]["usage"]!["prompt_tokens"]!.GetValue<int>(),
                chunks[^1]["usage"]!["completion_tokens"]!.GetValue<int>()
            )
        );
        Assert.All(chunks, chunk => Assert.Equal("m1", chunk["id"]!.GetValue<string>()));
    }

    [Fact]
    public void A_stream_of_anthropics_is_itself_again_after_a_round_trip()
    {
        var before = AnthropicStream
            .Select(data => JsonNode.Parse(data)!)
            .Where(data => data["type"]!.GetValue<string>() != "ping")
            .ToList();
        var after = Written(new MessagesStreamWriter(Asked), Steps());

        Assert.Equal(
            before.Select(step =>
                (step["type"]!.GetValue<string>(), step["index"]?.ToJsonString(), step["delta"]?.ToJsonString())
            ),
            after.Select(step =>
                (step["type"]!.GetValue<string>(), step["index"]?.ToJsonString(), step["delta"]?.ToJsonString())
            )
        );
    }

    [Fact]
    public void A_stream_becomes_events_of_a_response_and_the_whole_of_it_at_the_end()
    {
        var steps = Written(new ResponsesStreamWriter(Asked, [], 1), Steps());

        Assert.Equal(Enumerable.Range(0, steps.Count), steps.Select(step => step["sequence_number"]!.GetValue<int>()));
        Assert.Equal(
            "Hello",
            string.Concat(
                steps
                    .Where(step => step["type"]!.GetValue<string>() == "response.output_text.delta")
                    .Select(step => step["delta"]!.GetValue<string>())
            )
        );
        var whole = steps[^1]["response"]!;
        Assert.Equal(
            ("response.completed", "completed"),
            (steps[^1]["type"]!.GetValue<string>(), whole["status"]!.GetValue<string>())
        );
        Assert.Equal(
            ["reasoning", "message", "function_call"],
            whole["output"]!.AsArray().Select(item => item!["type"]!.GetValue<string>())
        );
        Assert.Equal("""{"a":1}""", whole["output"]![2]!["arguments"]!.GetValue<string>());
        // Each item that was announced is done, under the number that it was announced with.
        IEnumerable<int> Numbers(string type) =>
            steps
                .Where(step => step["type"]!.GetValue<string>() == type)
                .Select(step => step["output_index"]!.GetValue<int>())
                .Order();
        Assert.Equal(Numbers("response.output_item.added"), Numbers("response.output_item.done"));
    }

    [Fact]
    public void Arguments_that_come_in_turns_reach_an_anthropic_client_whole()
    {
        AnswerEvent[] steps =
        [
            new Began("1", "m"),
            new ToolCallBegan(0, 0, "a", "f"),
            new ToolCallBegan(0, 1, "b", "g"),
            new ArgumentsCame(0, 0, "{\"x\""),
            new ArgumentsCame(0, 1, "{\"y\""),
            new ArgumentsCame(0, 0, ":1}"),
            new ArgumentsCame(0, 1, ":2}"),
            new Finished(0, Finish.ToolCalls),
            new Ended(),
        ];
        var events = Written(new MessagesStreamWriter(Asked), steps);
        string Arguments(int index) =>
            string.Concat(
                events
                    .Where(step =>
                        step["type"]!.GetValue<string>() == "content_block_delta"
                        && step["index"]!.GetValue<int>() == index
                    )
                    .Select(step => step["delta"]!["partial_json"]!.GetValue<string>())
            );

        Assert.Equal(("""{"x":1}""", """{"y":2}"""), (Arguments(0), Arguments(1)));
    }

    [Fact]
    public void An_answer_is_the_same_in_one_piece_and_in_many()
    {
        var answer = new Answer(
            "1",
            "m",
            [
                new Choice(
                    0,
                    [new ThinkingPart("hm", "s"), new TextPart("a"), new ToolCallPart("t", "f", "{}")],
                    Finish.ToolCalls
                ),
            ],
            new Usage(1, 2)
        );
        var reader = new MessagesStreamReader();
        var again = Written(new MessagesStreamWriter(Asked), AnswerEvents.Of(answer))
            .SelectMany(step => reader.Read(step.ToJsonString()))
            .ToList();

        Assert.Equal(
            AnswerEvents.Of(answer).OfType<TextCame>().Select(step => step.Text),
            again.OfType<TextCame>().Select(step => step.Text)
        );
        Assert.Equal(answer.Usage, again.OfType<UsageCame>().Last().Usage);
    }
}
