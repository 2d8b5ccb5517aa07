using System.Text.Json;
using Galaxy.OneApi.Dialects;

namespace Galaxy.OneApi.Exchange;

/// <summary>
/// Observes a stream that passes through: when its first token comes, what it used, whether it ends as it should. Until
/// the first token every event is read; afterwards only those that can matter. Not thread-safe.
/// </summary>
internal sealed class StreamWatch(ProviderDialect dialect) : IDisposable
{
    private readonly IAnswerReader _reader = dialect.Stream();
    private readonly SseFrames _frames = new();

    public bool HasToken { get; private set; }

    /// <summary>It said that it is done.</summary>
    public bool HasEnded { get; private set; }

    public bool HasFinished { get; private set; }

    public ModelError? Error { get; private set; }

    /// <summary>What the provider calls this answer.</summary>
    public string? Id { get; private set; }

    public Usage? Usage { get; private set; }

    /// <summary>Events with content: what stands in for tokens when a provider does not count them.</summary>
    public int Pieces { get; private set; }

    /// <exception cref="JsonException">An event is not what the dialect allows.</exception>
    /// <exception cref="InvalidDataException">An event is too long.</exception>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        _frames.Add(bytes);
        while (_frames.TryTake(out var frame))
            Look(frame);
    }

    /// <summary>
    /// One event. False: it only contains the usage that this service asked for and the client did not.
    /// </summary>
    public bool Look(ReadOnlySpan<byte> frame)
    {
        var isPlain = HasToken && !CanMatter(frame);
        if (isPlain)
        {
            Pieces++;
            return true;
        }
        var data = SseFrames.DataOf(frame);
        if (data.Length == 0)
            return true;
        bool onlyUsage = true,
            any = false;
        foreach (var step in _reader.Read(data))
        {
            any = true;
            onlyUsage &= step is UsageCame or Began;
            Take(step);
        }
        return !(any && onlyUsage && Usage is not null);
    }

    private void Take(AnswerEvent step)
    {
        switch (step)
        {
            case Began began:
                Id ??= began.Id;
                break;
            case UsageCame usage:
                Usage = usage.Usage;
                break;
            case Finished:
                HasFinished = HasToken = true;
                break;
            case Ended:
                HasEnded = true;
                break;
            case Broke broke:
                Error = broke.Error;
                break;
            case TextCame or ThinkingCame or RefusalCame or ToolCallBegan or ArgumentsCame:
                HasToken = true;
                Pieces++;
                break;
        }
    }

    // Cheap signs of ends, errors and accounts, in all dialects. Content may contain them; then an event is read in
    // vain.
    private static bool CanMatter(ReadOnlySpan<byte> frame) =>
        frame.IndexOf("[DONE]"u8) >= 0
        || HasValue(frame, "\"finish_reason\":"u8)
        || HasValue(frame, "\"usage\":"u8)
        || frame.IndexOf("\"error\""u8) >= 0
        || frame.IndexOf("message_"u8) >= 0
        || frame.IndexOf("response.completed"u8) >= 0
        || frame.IndexOf("response.incomplete"u8) >= 0
        || frame.IndexOf("response.failed"u8) >= 0;

    private static bool HasValue(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> name)
    {
        var at = frame.IndexOf(name);
        if (at < 0)
            return false;
        var rest = frame[(at + name.Length)..].TrimStart((byte)' ');
        return rest.Length > 0 && rest[0] != 'n';
    }

    public void Dispose() => _frames.Dispose();
}
