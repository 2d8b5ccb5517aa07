using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Responses;

/// <summary>
/// Writes a response as events, and has the whole of it in <see cref="Response"/> at the end. Whole answers are made in
/// the same way.
/// </summary>
internal sealed class ResponsesStreamWriter(Conversation asked, JsonObject request, long created) : IAnswerWriter
{
    private enum Kind
    {
        Message,
        Reasoning,
        Call,
    }

    private sealed class Item(Kind kind, int index, string id)
    {
        public Kind Kind => kind;
        public int Index => index;
        public string Id => id;
        public StringBuilder Text { get; } = new();
        public bool IsRefusal { get; init; }
        public ToolCallBegan? Call { get; init; }
    }

    private readonly List<Item> _items = [];
    private readonly Dictionary<int, Item> _calls = [];
    private readonly SortedDictionary<int, JsonNode> _done = [];
    private Item? _open;
    private int _sequence;
    private Finish _finish = Finish.Stop;
    private Usage _usage = new(0, 0);

    /// <summary>The response as it is so far.</summary>
    public JsonObject Response { get; private set; } =
        ResponseObject.Begin(ResponseObject.NewId("resp"), created, "", asked, request);

    private bool _begun;

    public void Write(AnswerEvent step, IBufferWriter<byte> output)
    {
        switch (step)
        {
            case Began began:
                Begin(output, began.Model);
                break;
            case TextCame { Choice: 0 } text:
                Append(output, Open(output, Kind.Message, isRefusal: false), text.Text, "response.output_text.delta");
                break;
            case RefusalCame { Choice: 0 } refusal:
                Append(output, Open(output, Kind.Message, isRefusal: true), refusal.Text, "response.refusal.delta");
                break;
            case ThinkingCame { Choice: 0 } thinking:
                Append(
                    output,
                    Open(output, Kind.Reasoning, isRefusal: false),
                    thinking.Text,
                    "response.reasoning_summary_text.delta"
                );
                break;
            case ToolCallBegan { Choice: 0 } call:
                BeginCall(output, call);
                break;
            case ArgumentsCame { Choice: 0 } arguments when _calls.TryGetValue(arguments.Index, out var item):
                item.Text.Append(arguments.Fragment);
                Send(
                    output,
                    "response.function_call_arguments.delta",
                    new JsonObject
                    {
                        ["item_id"] = item.Id,
                        ["output_index"] = item.Index,
                        ["delta"] = arguments.Fragment,
                    }
                );
                break;
            case Finished { Choice: 0 } finished:
                _finish = finished.Finish;
                break;
            case UsageCame usage:
                _usage = usage.Usage;
                break;
            case Ended:
                End(output);
                break;
        }
    }

    private void Begin(IBufferWriter<byte> output, string model)
    {
        if (_begun)
            return;
        _begun = true;
        if (model.Length > 0)
            Response["model"] = model;
        Send(output, "response.created", new JsonObject { ["response"] = Response.DeepClone() });
        Send(output, "response.in_progress", new JsonObject { ["response"] = Response.DeepClone() });
    }

    private Item Open(IBufferWriter<byte> output, Kind kind, bool isRefusal)
    {
        Begin(output, "");
        if (_open is { } open && open.Kind == kind && open.IsRefusal == isRefusal)
            return open;
        Close(output);
        var item = _open = new Item(kind, _items.Count, ResponseObject.NewId(kind == Kind.Message ? "msg" : "rs"))
        {
            IsRefusal = isRefusal,
        };
        _items.Add(item);
        Send(
            output,
            "response.output_item.added",
            new JsonObject
            {
                ["output_index"] = item.Index,
                ["item"] =
                    kind == Kind.Message
                        ? ResponseObject.Message(item.Id, "in_progress")
                        : ResponseObject.Reasoning(item.Id, null),
            }
        );
        if (kind == Kind.Message)
            Send(
                output,
                "response.content_part.added",
                Part(item, isRefusal ? ResponseObject.Refusal("") : ResponseObject.Text(""))
            );
        else
            Send(
                output,
                "response.reasoning_summary_part.added",
                Summary(
                    item,
                    new JsonObject
                    {
                        ["part"] = new JsonObject { ["type"] = "summary_text", ["text"] = "" },
                    }
                )
            );
        return item;
    }

    private void Append(IBufferWriter<byte> output, Item item, string text, string name)
    {
        item.Text.Append(text);
        var delta =
            item.Kind == Kind.Reasoning
                ? Summary(item, [])
                : new JsonObject
                {
                    ["item_id"] = item.Id,
                    ["output_index"] = item.Index,
                    ["content_index"] = 0,
                };
        delta["delta"] = text;
        if (item is { Kind: Kind.Message, IsRefusal: false })
            delta["logprobs"] = new JsonArray();
        Send(output, name, delta);
    }

    private void BeginCall(IBufferWriter<byte> output, ToolCallBegan call)
    {
        Begin(output, "");
        Close(output);
        var item = _calls[call.Index] = new Item(Kind.Call, _items.Count, ResponseObject.NewId("fc")) { Call = call };
        _items.Add(item);
        Send(
            output,
            "response.output_item.added",
            new JsonObject
            {
                ["output_index"] = item.Index,
                ["item"] = ResponseObject.Call(item.Id, call.Id, call.Name, "", "in_progress"),
            }
        );
    }

    private void Close(IBufferWriter<byte> output)
    {
        if (_open is not { } item)
            return;
        _open = null;
        var text = item.Text.ToString();
        if (item.Kind == Kind.Reasoning)
        {
            Send(output, "response.reasoning_summary_text.done", Summary(item, new JsonObject { ["text"] = text }));
            Send(
                output,
                "response.reasoning_summary_part.done",
                Summary(
                    item,
                    new JsonObject
                    {
                        ["part"] = new JsonObject { ["type"] = "summary_text", ["text"] = text },
                    }
                )
            );
            Done(output, item, ResponseObject.Reasoning(item.Id, text));
            return;
        }
        var part = item.IsRefusal ? ResponseObject.Refusal(text) : ResponseObject.Text(text);
        var whole = new JsonObject
        {
            ["item_id"] = item.Id,
            ["output_index"] = item.Index,
            ["content_index"] = 0,
            [item.IsRefusal ? "refusal" : "text"] = text,
        };
        if (!item.IsRefusal)
            whole["logprobs"] = new JsonArray();
        Send(output, item.IsRefusal ? "response.refusal.done" : "response.output_text.done", whole);
        Send(output, "response.content_part.done", Part(item, part.DeepClone().AsObject()));
        Done(output, item, ResponseObject.Message(item.Id, "completed", part));
    }

    private void Done(IBufferWriter<byte> output, Item item, JsonObject json)
    {
        _done[item.Index] = json.DeepClone();
        Send(output, "response.output_item.done", new JsonObject { ["output_index"] = item.Index, ["item"] = json });
    }

    private void End(IBufferWriter<byte> output)
    {
        Begin(output, "");
        Close(output);
        foreach (var item in _calls.Values.OrderBy(call => call.Index))
        {
            var arguments = item.Text.Length == 0 ? "{}" : item.Text.ToString();
            Send(
                output,
                "response.function_call_arguments.done",
                new JsonObject
                {
                    ["item_id"] = item.Id,
                    ["output_index"] = item.Index,
                    ["name"] = item.Call!.Name,
                    ["arguments"] = arguments,
                }
            );
            Done(output, item, ResponseObject.Call(item.Id, item.Call!.Id, item.Call.Name, arguments, "completed"));
        }
        Response["output"] = new JsonArray([.. _done.Values]);
        ResponseObject.Complete(Response, _finish, _usage);
        Send(
            output,
            Response["status"]!.GetValue<string>() == "completed" ? "response.completed" : "response.incomplete",
            new JsonObject { ["response"] = Response.DeepClone() }
        );
    }

    private static JsonObject Part(Item item, JsonObject part) =>
        new()
        {
            ["item_id"] = item.Id,
            ["output_index"] = item.Index,
            ["content_index"] = 0,
            ["part"] = part,
        };

    private static JsonObject Summary(Item item, JsonObject more)
    {
        more["item_id"] = item.Id;
        more["output_index"] = item.Index;
        more["summary_index"] = 0;
        return more;
    }

    private void Send(IBufferWriter<byte> output, string name, JsonObject data)
    {
        data["type"] = name;
        data["sequence_number"] = _sequence++;
        Sse.Write(output, data, name);
    }
}
