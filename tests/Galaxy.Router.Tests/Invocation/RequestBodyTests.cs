using System.IO.Pipelines;
using System.Text;
using Galaxy.Router.Invocation;
using Microsoft.AspNetCore.Http;

namespace Galaxy.Router.Tests.Invocation;

public sealed class RequestBodyTests
{
    private static HttpRequest Request(Stream body, long? length)
    {
        var request = new DefaultHttpContext().Request;
        (request.Body, request.ContentLength) = (body, length);
        return request;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_mebibyte_is_kept_and_one_byte_more_passes_through_once(bool lengthIsTold)
    {
        var kept = await RequestBody.ReadAsync(
            Request(new MemoryStream(new byte[RequestBody.MostKept]), lengthIsTold ? RequestBody.MostKept : null),
            default
        );
        Assert.Equal(RequestBody.MostKept, kept.Whole?.Length);
        Assert.Equal(RequestBody.MostKept, (await kept.Content()!.ReadAsByteArrayAsync()).Length);
        Assert.Equal(RequestBody.MostKept, (await kept.Content()!.ReadAsByteArrayAsync()).Length);
        Assert.True(kept.CanBeSent);

        const int More = RequestBody.MostKept + 1;
        var passing = await RequestBody.ReadAsync(
            Request(new MemoryStream(new byte[More]), lengthIsTold ? More : null),
            default
        );
        Assert.Null(passing.Whole);
        Assert.True(passing.CanBeSent);
        Assert.False(passing.CanBeRepeated);
        Assert.Equal(More, (await passing.Content()!.ReadAsByteArrayAsync()).Length);
        Assert.False(passing.CanBeSent);
    }

    [Fact]
    public async Task A_stream_that_pauses_passes_through_with_what_had_come_before()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync("first,"u8.ToArray());

        var body = await RequestBody.ReadAsync(Request(pipe.Reader.AsStream(), null), default);
        Assert.Null(body.Whole);
        await pipe.Writer.WriteAsync("second"u8.ToArray());
        await pipe.Writer.CompleteAsync();

        Assert.Equal("first,second", Encoding.UTF8.GetString(await body.Content()!.ReadAsByteArrayAsync()));
    }

    [Fact]
    public async Task An_empty_body_is_no_content()
    {
        var body = await RequestBody.ReadAsync(Request(Stream.Null, 0), default);

        Assert.Null(body.Content());
        Assert.Equal(0, body.Whole?.Length);
    }
}
