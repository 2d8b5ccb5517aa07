using System.Text;
using Galaxy.Gateway.Replay;
using Microsoft.AspNetCore.Http;

namespace Galaxy.Gateway.Tests.Replay;

public sealed class KeptBodiesTests
{
    private readonly KeptBodies _bodies = new();

    private static HttpRequest Request(byte[] body, bool isTold, string type = "application/json")
    {
        var request = new DefaultHttpContext().Request;
        (request.Body, request.ContentType, request.ContentLength) = (
            new MemoryStream(body),
            type,
            isTold ? body.Length : null
        );
        return request;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_kept_can_be_read_again_and_gives_its_room_back(bool isTold)
    {
        var text = Encoding.UTF8.GetBytes("""{"a":1}""");
        using (var kept = (await _bodies.TryKeepAsync(Request(text, isTold)))!)
        {
            Assert.Equal(text.Length, _bodies.Kept);
            for (var i = 0; i < 2; i++)
            {
                using var copy = new MemoryStream();
                await kept.Open().CopyToAsync(copy);
                Assert.Equal(text, copy.ToArray());
            }
        }
        Assert.Equal(0, _bodies.Kept);
    }

    [Fact]
    public async Task Hundreds_of_small_ones_of_untold_length_are_kept_at_once()
    {
        var kept = await Task.WhenAll(
            Enumerable
                .Range(0, 500)
                .Select(async _ => await _bodies.TryKeepAsync(Request(new byte[100], isTold: false)))
        );

        Assert.All(kept, Assert.NotNull);
        Assert.Equal(50_000, _bodies.Kept);
        foreach (var one in kept)
            one!.Dispose();
        Assert.Equal(0, _bodies.Kept);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_too_long_is_forwarded_as_it_came(bool isTold)
    {
        var body = new byte[KeptBodies.Longest + 1];
        new Random(3).NextBytes(body);
        var request = Request(body, isTold);

        Assert.Null(await _bodies.TryKeepAsync(request));

        using var forwarded = new MemoryStream();
        await request.Body.CopyToAsync(forwarded);
        Assert.Equal(body, forwarded.ToArray());
        Assert.Equal(0, _bodies.Kept);
    }

    [Fact]
    public async Task All_of_them_together_have_a_bound()
    {
        var kept = new List<KeptBody?>();
        for (var i = 0; i < 70; i++)
            kept.Add(await _bodies.TryKeepAsync(Request(new byte[KeptBodies.Longest], isTold: true)));

        Assert.Equal(64, kept.Count(one => one is not null));
        Assert.Equal(64L * KeptBodies.Longest, _bodies.Kept);
    }

    [Fact]
    public async Task A_stream_of_untold_length_that_is_no_json_is_not_waited_for() =>
        Assert.Null(await _bodies.TryKeepAsync(Request([1, 2, 3], isTold: false, type: "application/octet-stream")));
}
