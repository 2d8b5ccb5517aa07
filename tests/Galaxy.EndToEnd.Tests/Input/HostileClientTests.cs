using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;

namespace Galaxy.EndToEnd.Tests.Input;

/// <summary>
/// What is valid word by word, and costs far more than it looks: refused with what to do instead, and nobody else
/// notices.
/// </summary>
[Collection("poisoned system")]
public sealed class HostileClientTests(RunningGalaxy galaxy)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_small_request_that_would_be_stored_many_times_is_refused_and_the_leader_leads_on()
    {
        var leader = await galaxy.LeaderAsync();
        var wide = Enumerable
            .Range(0, 100)
            .Select(i => $"{i:000}" + string.Concat(Enumerable.Repeat("😀", 100)))
            .ToList();
        var parts = Enumerable.Range(0, 1000).Select(_ => new { action = "nobody-does-this" }).ToList();
        using (
            var shared = await galaxy.Http.PostAsJsonAsync(
                "/api/v1/tasks",
                new
                {
                    subtasks = parts,
                    tags = wide,
                    required_capabilities = wide,
                    retry = new { retry_on = wide },
                },
                Cancellation
            )
        )
            await RefusedAsync(HttpStatusCode.RequestEntityTooLarge, "MiB", shared);

        // The same by way of a task that is held, a batch, and a command to many.
        var text = new string('x', 400_000);
        var held = await galaxy.SubmitAsync(
            new
            {
                action = "nobody-does-this",
                hold = true,
                @params = new { text },
            }
        );
        var devices = Enumerable.Range(0, 500).Select(i => $"no-such-device-{i}").ToList();
        using (
            var coordinated = await galaxy.Http.PostAsJsonAsync(
                $"/api/v1/tasks/{held}/coordinate",
                new { devices },
                Cancellation
            )
        )
            await RefusedAsync(HttpStatusCode.RequestEntityTooLarge, "MiB", coordinated);
        using (
            var command = await galaxy.Http.PostAsJsonAsync(
                "/api/v1/command",
                new
                {
                    target_devices = devices.Take(200),
                    command = "nobody-does-this",
                    @params = new { text },
                },
                Cancellation
            )
        )
            Assert.True((int)command.StatusCode is >= 400 and < 500, $"{command.StatusCode}");
        using (await galaxy.Http.PostAsync($"/api/v1/tasks/{held}/cancel", null, Cancellation)) { }

        Assert.Equal(leader.Token, (await galaxy.LeaderAsync()).Token);
        await WorksAsync();
    }

    [Fact]
    public async Task A_counter_beyond_any_number_is_refused_and_a_document_of_long_paths_too()
    {
        foreach (
            var (body, status) in new[]
            {
                ("""{"x":{"$counter":79228162514264337593543950335}}""", HttpStatusCode.BadRequest),
                ("""{"x":{"$counter":-1e28}}""", HttpStatusCode.BadRequest),
                (Deep(120_000, 10_000), HttpStatusCode.RequestEntityTooLarge),
                ("""{"a":1,"a":2}""", HttpStatusCode.BadRequest),
                ("""{"a":"\ud800"}""", HttpStatusCode.BadRequest),
            }
        )
        {
            foreach (var type in (string[])["application/json", "text/plain"])
            {
                using var answer = await galaxy.Http.PutAsync(
                    "/api/v1/state/notes/counter?policy=merge",
                    new StringContent(body, Encoding.UTF8, type),
                    Cancellation
                );
                Assert.Equal((type, status), (type, answer.StatusCode));
            }
        }
        // Two coordinators at once: the sum is a number still.
        using var one = galaxy.Client("coordinator-a");
        using var other = galaxy.Client("coordinator-b");
        foreach (var key in Enumerable.Range(0, 4).Select(i => $"/api/v1/state/notes/sum-{i}"))
        {
            await Task.WhenAll(
                ((HttpClient[])[one, other]).Select(client =>
                    client.PutAsync(
                        key + "?policy=merge",
                        new StringContent("""{"x":{"$counter":1e18}}""", Encoding.UTF8, "application/json"),
                        Cancellation
                    )
                )
            );
            Assert.Equal(HttpStatusCode.OK, (await galaxy.Http.GetAsync(key, Cancellation)).StatusCode);
        }
        Assert.Equal(HttpStatusCode.OK, (await galaxy.Http.GetAsync("/api/v1/state/notes", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Another_charset_is_refused_by_every_operation_with_a_body()
    {
        var document = await ApiDocument.WholeAsync(galaxy.Http);
        var (count, problems) = (0, new List<string>());
        foreach (var (path, operations) in (JsonObject)document["paths"]!)
        {
            foreach (var (verb, operation) in (JsonObject)operations!)
            {
                if (operation!["requestBody"]?["content"]?["application/json"] is null)
                    continue;
                foreach (var charset in (string[])["xyz", "utf-7", "utf-16", "iso-8859-1"])
                {
                    using var request = new HttpRequestMessage(
                        new HttpMethod(verb.ToUpperInvariant()),
                        path.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal)
                    );
                    request.Content = new ByteArrayContent("{}"u8.ToArray());
                    request.Content.Headers.TryAddWithoutValidation(
                        "Content-Type",
                        "application/json; charset=" + charset
                    );
                    using var answer = await galaxy.Http.SendAsync(request, Cancellation);
                    count++;
                    if ((int)answer.StatusCode is >= 500 or < 400)
                        problems.Add($"{verb} {path} {charset}: {(int)answer.StatusCode}");
                }
            }
        }
        Assert.True(problems.Count == 0, string.Join('\n', problems));
        Assert.InRange(count, 60, 10_000);
        using var join = new StringContent("{}", Encoding.UTF8, "application/json");
        join.Headers.ContentType!.CharSet = "utf-7";
        using var refused = await galaxy.Http.PostAsync("/api/v1/tasks", join, Cancellation);
        await RefusedAsync(HttpStatusCode.UnsupportedMediaType, "UTF-8", refused);
    }

    [Theory]
    [InlineData("%C3%A9=1")]
    [InlineData("%0d%0a=1")]
    [InlineData("a%3E%2C%3Cb=1")]
    [InlineData("%7f=%00")]
    public async Task Whatever_a_query_calls_its_fields_the_next_page_is_a_link(string query)
    {
        for (var i = 0; i < 3; i++)
            await galaxy.FinishedAsync(
                await galaxy.SubmitAsync(new { action = "echo", @params = new { text = $"{i}" } })
            );
        using var answer = await galaxy.Http.GetAsync($"/api/v1/tasks?limit=1&{query}", Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var link = answer.Headers.GetValues("Link").Single();
        Assert.Matches("^<[^<>,\\s]+>; rel=\"next\"$", link);
    }

    [Theory]
    [InlineData("X-Note")]
    [InlineData("User-Agent")]
    [InlineData("Idempotency-Key")]
    [InlineData("Last-Event-ID")]
    public async Task A_header_that_is_not_ASCII_passes_the_gateway(string name)
    {
        // HttpClient sends none by itself: as browsers and other programs do, in UTF-8.
        using var client = new HttpClient(
            new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 }
        )
        {
            BaseAddress = galaxy.Http.BaseAddress,
            Timeout = TimeSpan.FromSeconds(5),
        };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/devices");
        request.Headers.Authorization = galaxy.Http.DefaultRequestHeaders.Authorization;
        request.Headers.TryAddWithoutValidation(name, "café 星");
        using var answer = await client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task What_a_device_says_of_itself_is_bounded_by_either_door()
    {
        foreach (
            var said in new object[]
            {
                new { device_id = "big", os_version = new string('x', 300_000) },
                new { device_id = "big", app_version = new string('x', 300) },
                new { device_id = "big", device_name = new string('x', 300) },
                new { device_id = "big", tags = new[] { new string('x', 200) } },
                new { device_id = "big", slots = 5000 },
            }
        )
        {
            using var answer = await galaxy.Http.PostAsJsonAsync("/api/v1/devices/register", said, Cancellation);
            await RefusedAsync(HttpStatusCode.BadRequest, "'", answer);
        }
        foreach (var field in (string[])["device_name", "device_type", "version"])
        {
            using var socket = await DeviceClient.ConnectAsync(galaxy, "big");
            var hello = new JsonObject
            {
                ["type"] = "hello",
                ["device_id"] = "big",
                [field] = new string('x', 60_000),
            };
            await socket.SayAsync(hello.ToJsonString());
            var buffer = new byte[64 * 1024];
            var read = await socket.ReceiveAsync(buffer.AsMemory(), Cancellation);
            Assert.Contains("characters", Encoding.UTF8.GetString(buffer, 0, read.Count), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_device_that_fails_with_long_texts_does_not_make_its_task_grow()
    {
        using var socket = await DeviceClient.ConnectAsync(galaxy, "chatty");
        await socket.SayAsync("""{"type":"hello","device_id":"chatty","capabilities":["complain"],"slots":1}""");
        var task = await galaxy.SubmitAsync(
            new { action = "complain", retry = new { max_attempts = 20, delay_seconds = 0 } }
        );
        var (buffer, error) = (new byte[256 * 1024], string.Concat(Enumerable.Repeat("😀", 50_000)));
        for (var i = 0; i < 20; )
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(), Cancellation);
            var message = JsonNode.Parse(buffer.AsSpan(0, read.Count))!;
            if ((string?)message["type"] != "task")
                continue;
            i++;
            await socket.SayAsync(
                new JsonObject
                {
                    ["type"] = "task_result",
                    ["task_id"] = (string?)message["task_id"],
                    ["attempt_id"] = (string?)message["attempt_id"],
                    ["status"] = "failed",
                    ["error"] = error,
                }.ToJsonString()
            );
        }
        Assert.Equal(TaskState.Failed, (await galaxy.FinishedAsync(task)).State);
        var stored = await galaxy.Http.GetByteArrayAsync($"/api/v1/tasks/{task}", Cancellation);
        Assert.InRange(stored.Length, 20 * 4096, 20 * 4096 * 8);
    }

    [Fact]
    public async Task Tasks_that_hang_together_are_bounded_so_that_the_end_of_one_is_one_write()
    {
        var leader = await galaxy.LeaderAsync();
        var text = new string('x', 300_000);
        var held = await galaxy.SubmitAsync(new { action = "nobody-does-this", hold = true });
        HttpStatusCode status = 0;
        for (var i = 0; i < 80 && status != HttpStatusCode.RequestEntityTooLarge; i++)
        {
            using var answer = await galaxy.Http.PostAsJsonAsync(
                "/api/v1/tasks",
                new
                {
                    action = "nobody-does-this",
                    @params = new { text },
                    dependencies = new[] { new { task_id = held } },
                },
                Cancellation
            );
            status = answer.StatusCode;
            if (status == HttpStatusCode.RequestEntityTooLarge)
                await RefusedAsync(status, "hang together", answer);
        }
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        using (var cancelled = await galaxy.Http.PostAsync($"/api/v1/tasks/{held}/cancel", null, Cancellation))
            Assert.Equal(HttpStatusCode.OK, cancelled.StatusCode);
        await WorksAsync();
        Assert.Equal(leader.Token, (await galaxy.LeaderAsync()).Token);
    }

    [Fact]
    public async Task A_batch_of_gangs_with_many_dependencies_is_refused_at_once()
    {
        var gang = new
        {
            gang = true,
            dependencies = Enumerable.Range(0, 100).Select(i => new { task_id = $"none-{i}" }),
            subtasks = Enumerable.Range(0, 1000).Select(_ => new { action = "a" }),
        };
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        using var answer = await galaxy.Http.PostAsJsonAsync(
            "/api/v1/tasks/batch",
            Enumerable.Repeat(gang, 20),
            Cancellation
        );
        Assert.InRange((int)answer.StatusCode, 400, 499);
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds, 0, 5);
    }

    [Fact]
    public async Task Devices_that_say_much_of_themselves_do_not_shut_the_gateways()
    {
        var schema = new { type = "object", description = new string('x', 15_000) };
        var capabilities = Enumerable.Range(0, 11).Select(i => new { name = $"c{i}", parameters = schema }).ToList();
        var status = HttpStatusCode.Created;
        var registered = new List<string>();
        for (var i = 0; i < 120 && status == HttpStatusCode.Created; i++)
        {
            using var answer = await galaxy.Http.PostAsJsonAsync(
                "/api/v1/devices/register",
                new { device_id = $"much-{i}", capabilities },
                Cancellation
            );
            status = answer.StatusCode;
            if (status == HttpStatusCode.Created)
                registered.Add($"much-{i}");
        }
        // More than what a message may have by default; then the namespace is full.
        Assert.InRange(registered.Count, 60, 110);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        using (
            var key = await galaxy.Http.PostAsJsonAsync(
                "/api/v1/access/keys",
                new { name = "late", role = "viewer" },
                Cancellation
            )
        )
        {
            using var client = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
            client.DefaultRequestHeaders.Authorization = new(
                "Bearer",
                (string)(await key.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["secret"]!
            );
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/groups", Cancellation)).StatusCode);
        }
        await WorksAsync();
        foreach (var device in registered)
            Assert.Equal(
                HttpStatusCode.NoContent,
                (await galaxy.Http.DeleteAsync("/api/v1/devices/" + device, Cancellation)).StatusCode
            );
    }

    [Fact]
    public async Task What_was_acknowledged_beside_merged_documents_of_long_names_survives_a_kill()
    {
        using var node = galaxy.Client("coordinator-b");
        var refused = false;
        for (var i = 0; i < 6; i++)
        {
            var name = new string((char)('一' + i), 100);
            var leaves = string.Join(',', Enumerable.Range(0, 1000).Select(leaf => $"\"{leaf}\":1"));
            using var answer = await node.PutAsync(
                "/api/v1/state/notes/grown?policy=merge",
                new StringContent($"{{\"{name}\":{{{leaves}}}}}", Encoding.UTF8, "application/json"),
                Cancellation
            );
            refused |= answer.StatusCode == HttpStatusCode.RequestEntityTooLarge;
            Assert.True(answer.IsSuccessStatusCode || refused, $"{answer.StatusCode}");
        }
        Assert.True(refused, "removed places are counted, too");
        using (var marker = await node.PutAsJsonAsync("/api/v1/state/notes/marker", "there", Cancellation))
            Assert.Equal(HttpStatusCode.OK, marker.StatusCode);

        galaxy.Host.Kill("coordinator-b");
        string? kept = null;
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                using var client = galaxy.Client("coordinator-b");
                using var read = await client.GetAsync("/api/v1/state/notes/marker", Cancellation);
                kept = (string?)(await read.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["value"];
                return kept is not null;
            }
            catch (HttpRequestException)
            {
                // It is being started again.
                return false;
            }
        });
        Assert.Equal("there", kept);
        Assert.DoesNotContain(galaxy.Host.Output("coordinator-b"), line =>
            line.Contains("does not match its checksum", StringComparison.Ordinal)
        );
    }

    private async Task WorksAsync() =>
        Assert.Equal(
            TaskState.Completed,
            (
                await galaxy.FinishedAsync(
                    await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "well" } })
                )
            ).State
        );

    private static async Task RefusedAsync(HttpStatusCode status, string says, HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(status == answer.StatusCode, $"{(int)answer.StatusCode} instead of {(int)status}: {text}");
        Assert.Contains(says, text, StringComparison.Ordinal);
    }

    private static string Deep(int name, int leaves) =>
        $"{{\"{new string('n', name)}\":{{{string.Join(',', Enumerable.Range(0, leaves).Select(i => $"\"{i}\":1"))}}}}}";
}
