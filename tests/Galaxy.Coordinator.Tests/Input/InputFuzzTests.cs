using System.Text;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Http;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tasks;
using Galaxy.Coordinator.Tests.Storage;
using Galaxy.Core.Scheduling;
using Galaxy.Core.Tests.Fuzzing;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Tests.Input;

/// <summary>
/// Bodies and socket messages through the readers that meet them: what passes can be stored, read back, scheduled and
/// shown. <c>GALAXY_FUZZ=10000000</c> for the long run.
/// </summary>
public class InputFuzzTests
{
    private const int MaxLength = 2048;
    private const long MaxBytes = 4 * 1024 * 1024;
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 0, 0, 0, TimeSpan.Zero);

    private static readonly string[] Corpus =
    [
        """{"action":"echo","params":{"text":"hé","n":1.5e3,"list":[null,true,"""
            + """{"x":"\ud83d\ude00"}]},"priority":8,"timeout_seconds":30,"max_attempts":"""
            + """3,"strategy":"fair","tags":["a"],"required_devices":["d"],"preferred_devices":"""
            + """["e"],"required_capabilities":["c"],"location":"home/attic"}""",
        """{"name":"n","subtasks":[{"name":"a","action":"x","params":[1]},"""
            + """{"name":"b","action":"y","depends_on":["a"],"resources":{"cpu_percent":5}}],"gang":"""
            + """false,"hold":true}""",
        """{"action":"a","dependencies":[{"task_id":"t","condition":"failure","timeout_seconds":"""
            + """5}],"retry":{"max_attempts":2,"backoff":"linear","retry_on":["x"]},"cron":"*/5 * * * """
            + """*","callback_url":"http://x/y"}""",
        """{"device_id":"d","device_type":"phone","device_name":"p","capabilities":["a","""
            + """{"name":"b","priority":3,"parameters":{"type":"object","properties":{"x":"""
            + """{"type":"string"}}}}],"slots":2,"tags":["t"],"weight":1.5,"resources":{"memory_mib":512}}""",
        """{"request_id":"r","command":"c","targets":["a","b"],"params":{"x":1},"mode":"async","timeout":5}""",
        """{"group_id":"g","name":"n","devices":["a","b"]}""",
        """{"type":"hello","device_id":"d","capabilities":[{"name":"x","version":2}],"slots":4,"running":"""
            + """["t.1"],"labels":["l"],"location":"x"}""",
        """{"type":"task_result","task_id":"t","attempt_id":"t.1","status":"completed","result":{"deep":[[[[1]]]]}}""",
        """{"protocol":"AIP/1.0","type":"status_update","from":"d","payload":{"status":"busy","load":0.5}}""",
    ];

    private static readonly string[] Words =
    [
        "null",
        "[null]",
        "\"\\ud800\"",
        "\\udc00",
        "{}",
        "[]",
        "1e999",
        "-1",
        "99999999999999999999",
        "true",
        "\"\"",
        ",\"action\":\"x\"",
        "\"subtasks\":",
        "\"required_devices\":[null]",
        ",",
        ":",
        "\\u0000",
        "[[[[[[[[",
    ];

    private readonly Quarantine _quarantine = Quarantines.New();

    [Fact]
    public void Whatever_passes_the_edge_can_be_stored_read_back_scheduled_and_shown()
    {
        var fuzzer = new Fuzzer(
            Try,
            [.. Corpus.Select(Encoding.UTF8.GetBytes)],
            [.. Words.Select(Encoding.UTF8.GetBytes)],
            MaxLength,
            MaxBytes
        );

        var report = fuzzer.Run(seed: 11);

        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Assert.True(report.Understood > report.Inputs / 100, report.ToString());
        Assert.Empty(_quarantine.List());
    }

    private int? Try(byte[] input)
    {
        if (JsonInput.Validate(input) is not null)
            return null;
        var shape = new HashCode();
        shape.Add(Message(input));
        shape.Add(Task(input));
        shape.Add(
            Read<RegisterDeviceRequest>(input) is { Capabilities: { ValueKind: JsonValueKind.Array } list }
                ? DeviceCapabilities.Read(list).Count
                : -1
        );
        shape.Add(Read<CommandRequest>(input)?.Targets?.Count);
        shape.Add(Read<GroupRequest>(input)?.Devices?.Count);
        return shape.ToHashCode();
    }

    private static int Message(byte[] input)
    {
        using var message = DeviceMessage.Parse(input, out var fault);
        Assert.Null(fault);
        if (message is null)
            return -1;
        var capabilities = message.Array("capabilities") is { } list ? DeviceCapabilities.Read(list) : [];
        JsonSerializer.SerializeToUtf8Bytes(
            new DeviceView
            {
                DeviceId = "d",
                DeviceName = message["device_name"],
                Capabilities = capabilities,
            },
            GalaxyJson.Options
        );
        var output = message.Has("result") ? message.Raw("result") : message.Raw("output");
        if (output.Length > 0)
            _ = TaskMapping.Parse(output).ValueKind;
        return HashCode.Combine(
            message.Type.Length,
            capabilities.Count,
            message.Number("slots") is null,
            message.Array("labels") is { } labels ? DeviceCapabilities.ReadTags(labels).Count : -1
        );
    }

    private int Task(byte[] input)
    {
        if (Read<TaskRequest>(input) is not { } request)
            return -1;
        IReadOnlyList<TaskView> tasks;
        try
        {
            tasks = TaskSubmission.Read(request, Now);
        }
        catch (BadTaskException refused)
        {
            return refused.Message.IndexOf('\'', 1);
        }
        var stored = tasks
            .Select(task => task with { State = Contracts.Api.TaskState.Queued })
            .Select(task =>
                _quarantine.Read<TaskView>(
                    Quarantine.Tasks,
                    task.TaskId,
                    JsonSerializer.SerializeToUtf8Bytes(task, GalaxyJson.Options)
                )
            )
            .ToList();
        Assert.DoesNotContain(null, stored);
        // As it is listed: a level or two deeper than it is stored.
        using var listed = JsonDocument.Parse(
            JsonSerializer.SerializeToUtf8Bytes(new { tasks = stored }, GalaxyJson.Options)
        );
        var (_, usable) = new BoardLoader(_quarantine, () =>
            new TaskBoard(new Random(1), TaskSubmission.NextTime)
        ).Load(stored!, Now);
        Assert.Equal(stored.Count, usable.Count);
        return usable.Count;
    }

    private static T? Read<T>(byte[] input)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(input, GalaxyJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
