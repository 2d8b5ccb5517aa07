using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.ServiceDefaults.Tests.Input;

public class JsonInputTests
{
    [Theory]
    [InlineData("""{"a":1,"a":2}""", "'a' appears twice in its object.")]
    [InlineData("""{"a":1,"\u0061":2}""", "'a' appears twice in its object.")]
    [InlineData("""{"x":[{"b":1},{"b":1,"b":2}]}""", "'x[1].b' appears twice in its object.")]
    [InlineData("""{"params":{"text":"\ud800"}}""", "'params.text' has half of a surrogate pair.")]
    [InlineData("""{"params":["ok","\udc00x"]}""", "'params[1]' has half of a surrogate pair.")]
    [InlineData("""{"\ud800":1}""", "The body has a name with half of a surrogate pair.")]
    [InlineData("""{"n":1e999}""", "'n' is a number out of range.")]
    [InlineData("""{"n":-1e999}""", "'n' is a number out of range.")]
    [InlineData("""{"n":01}""", "'n' is not JSON at line 1, byte 7.")]
    [InlineData("""{"n":1""", "'n' is not JSON at line 1, byte 7.")]
    [InlineData("", "The body is not JSON at line 1, byte 1.")]
    [InlineData("{} {}", "The body is not JSON at line 1, byte 4.")]
    [InlineData("// a comment\n{}", "The body is not JSON at line 1, byte 1.")]
    public void What_is_wrong_is_said_with_its_path(string json, string said) =>
        Assert.Equal(said, JsonInput.Validate(Encoding.UTF8.GetBytes(json))?.ToString());

    [Theory]
    [InlineData("null")]
    [InlineData("5")]
    [InlineData("\"text\"")]
    [InlineData("[]")]
    [InlineData("""{"a":{"b":1},"c":{"b":1},"B":null}""")]
    [InlineData("""{"pair":"\ud83d\ude00","escaped":"\\ud800 is text"}""")]
    [InlineData("""{"n":1.7976931348623157e308,"i":123456789012345678901234567890}""")]
    [InlineData("﻿{\"bom\":true}")]
    public void What_is_well_formed_passes(string json) =>
        Assert.Null(JsonInput.Validate(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Bytes_that_are_no_UTF8_are_refused()
    {
        byte[] json = [.. "{\"a\":\""u8, 0xC3, 0x28, .. "\"}"u8];
        Assert.Equal("The body is not valid UTF-8.", JsonInput.Validate(json)?.ToString());
    }

    [Theory]
    [InlineData(InputLimits.MaxDepth, true)]
    [InlineData(InputLimits.MaxDepth + 1, false)]
    [InlineData(100_000, false)]
    public void The_depth_is_bounded(int depth, bool passes)
    {
        foreach (var (open, close) in new[] { ("[", "]"), ("{\"a\":", "}") })
        {
            var json =
                string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, depth));
            Assert.Equal(passes, JsonInput.Validate(Encoding.UTF8.GetBytes(json)) is null);
        }
    }

    /// <summary>What passes can be read, changed, written and read again by everything behind the edge.</summary>
    [Fact]
    public void Whatever_passes_is_no_trouble_to_any_reader()
    {
        var random = new Random(20261128);
        string[] pieces =
        [
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"a\"",
            "\"b\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud83d\\ude00\"",
            "\"\\u0061\"",
            "1",
            "-0",
            "1e308",
            "1e309",
            "0.1",
            "true",
            "null",
            " ",
            "\"é\"",
            "\\",
            "\"",
        ];
        var passed = 0;
        for (var i = 0; i < 200_000; i++)
        {
            var json =
                i % 2 == 0
                    ? string.Concat(
                        Enumerable.Range(0, random.Next(1, 12)).Select(_ => pieces[random.Next(pieces.Length)])
                    )
                    : Grow(random, 0);
            var utf8 = Encoding.UTF8.GetBytes(json);
            if (i % 3 == 0 && utf8.Length > 0)
                utf8[random.Next(utf8.Length)] = (byte)random.Next(256);
            if (JsonInput.Validate(utf8) is not null)
                continue;
            passed++;
            var node = JsonNode.Parse(utf8);
            var again = JsonSerializer.SerializeToUtf8Bytes(node, GalaxyJson.Options);
            Assert.Null(JsonInput.Validate(again));
            using var document = JsonDocument.Parse(utf8);
            JsonSerializer.Serialize(document.RootElement, GalaxyJson.Options);
            _ = node?.ToJsonString();
        }
        Assert.InRange(passed, 20_000, 200_000);
    }

    private static string Grow(Random random, int depth) =>
        random.Next(depth > 6 ? 4 : 7) switch
        {
            0 => random.Next(-1000, 1000).ToString(System.Globalization.CultureInfo.InvariantCulture),
            1 => random.Next(8) == 0 ? "\"\\ud8" + random.Next(10, 99) + "\"" : "\"t\\u00e9xt" + random.Next(9) + "\"",
            2 => "null",
            3 => random.Next(2) == 0 ? "true" : "false",
            4 => "[" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Grow(random, depth + 1))) + "]",
            _ => "{"
                + string.Join(
                    ',',
                    Enumerable
                        .Range(0, random.Next(4))
                        .Select(i => $"\"{(random.Next(20) == 0 ? 0 : i)}\":" + Grow(random, depth + 1))
                )
                + "}",
        };
}
