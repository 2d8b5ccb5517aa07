using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Anthropic;

/// <summary>
/// Writes a message as events. Only one block is open at a time, so a step of another kind closes it. Arguments of
/// several tool calls may come in turns; here they may not, so those of every call but the first wait for the end.
/// </summary>
internal sealed class MessagesStreamWriter(Conversation asked) : IAnswerWriter
{
    private enum Open
    {
        Nothing,
        Text,
        Thinking,
        Tool,
    }

    private Open _open;
    private int _block = -1;
    private readonly Dictionary<int, StringBuilder> _waiting = [];
    private readonly List<ToolCallBegan> _calls = [];
    private bool _begun;
    private Finish _finish = Finish.Stop;
    private string? _stopSequence;
    private Usage _usage = new(0, 0);

    public void Write(AnswerEvent step, IBufferWriter<byte> output)
    {
        // The dialect has one choice; requests for more were refused.
        switch (step)
        {
            case Began began:
                Begin(output, began);
                break;
            case TextCame { Choice: 0 } text:
                Block(output, Open.Text, new JsonObject { ["type"] = "text", ["text"] = "" });
                Delta(output, new JsonObject { ["type"] = "text_delta", ["text"] = text.Text });
                break;
            case RefusalCame { Choice: 0 } refusal:
                Block(output, Open.Text, new JsonObject { ["type"] = "text", ["text"] = "" });
                Delta(output, new JsonObject { ["type"] = "text_delta", ["text"] = refusal.Text });
                break;
            case ThinkingCame { Choice: 0 } thinking:
                Block(
                    output,
                    Open.Thinking,
                    new JsonObject
                    {
                        ["type"] = "thinking",
                        ["thinking"] = "",
                        ["signature"] = "",
                    }
                );
                Delta(output, new JsonObject { ["type"] = "thinking_delta", ["thinking"] = thinking.Text });
                break;
            case ThinkingSigned signed when _open == Open.Thinking:
                Delta(output, new JsonObject { ["type"] = "signature_delta", ["signature"] = signed.Signature });
                break;
            case ToolCallBegan { Choice: 0 } call:
                _calls.Add(call);
                if (_calls.Count == 1)
                    OpenCall(output, call);
                else
                    _waiting[call.Index] = new StringBuilder();
                break;
            case ArgumentsCame { Choice: 0 } arguments when _waiting.TryGetValue(arguments.Index, out var waiting):
                waiting.Append(arguments.Fragment);
                break;
            case ArgumentsCame { Choice: 0 } arguments when _open == Open.Tool:
                Delta(output, new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = arguments.Fragment });
                break;
            case Finished { Choice: 0 } finished:
                (_finish, _stopSequence) = (finished.Finish, finished.StopSequence);
                break;
            case UsageCame usage:
                _usage = usage.Usage;
                break;
            case Ended:
                End(output);
                break;
        }
    }

    private void Begin(IBufferWriter<byte> output, Began began)
    {
        _begun = true;
        _usage = began.Usage ?? _usage;
        Sse.Write(
            output,
            new JsonObject
            {
                ["type"] = "message_start",
                ["message"] = new JsonObject
                {
                    ["id"] = MessagesAnswer.MessageId(began.Id),
                    ["type"] = "message",
                    ["role"] = "assistant",
                    ["model"] = began.Model.Length > 0 ? began.Model : asked.Model,
                    ["content"] = new JsonArray(),
                    ["stop_reason"] = null,
                    ["stop_sequence"] = null,
                    ["usage"] = MessagesAnswer.WriteUsage(_usage with { Output = 0 }),
                },
            },
            "message_start"
        );
    }

    private void End(IBufferWriter<byte> output)
    {
        if (!_begun)
            Begin(output, new Began("", asked.Model));
        foreach (var call in _calls.Where(call => _waiting.ContainsKey(call.Index)))
        {
            OpenCall(output, call);
            if (_waiting[call.Index].Length > 0)
                Delta(
                    output,
                    new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = _waiting[call.Index].ToString() }
                );
        }
        Close(output);
        Sse.Write(
            output,
            new JsonObject
            {
                ["type"] = "message_delta",
                ["delta"] = new JsonObject
                {
                    ["stop_reason"] = MessagesAnswer.WriteFinish(_finish),
                    ["stop_sequence"] = _stopSequence,
                },
                ["usage"] = MessagesAnswer.WriteUsage(_usage),
            },
            "message_delta"
        );
        Sse.Write(output, new JsonObject { ["type"] = "message_stop" }, "message_stop");
    }

    private void OpenCall(IBufferWriter<byte> output, ToolCallBegan call)
    {
        Close(output);
        Block(
            output,
            Open.Tool,
            new JsonObject
            {
                ["type"] = "tool_use",
                ["id"] = call.Id,
                ["name"] = call.Name,
                ["input"] = new JsonObject(),
            }
        );
    }

    private void Block(IBufferWriter<byte> output, Open kind, JsonObject block)
    {
        if (_open == kind && kind != Open.Tool)
            return;
        Close(output);
        _open = kind;
        _block++;
        Sse.Write(
            output,
            new JsonObject
            {
                ["type"] = "content_block_start",
                ["index"] = _block,
                ["content_block"] = block,
            },
            "content_block_start"
        );
    }

    private void Delta(IBufferWriter<byte> output, JsonObject delta) =>
        Sse.Write(
            output,
            new JsonObject
            {
                ["type"] = "content_block_delta",
                ["index"] = _block,
                ["delta"] = delta,
            },
            "content_block_delta"
        );

    private void Close(IBufferWriter<byte> output)
    {
        if (_open == Open.Nothing)
            return;
        _open = Open.Nothing;
        Sse.Write(output, new JsonObject { ["type"] = "content_block_stop", ["index"] = _block }, "content_block_stop");
    }
}
