namespace Galaxy.Core.Discovery.Mdns;

/// <summary>
/// Cuts messages into datagrams of at most <see cref="MdnsTiming.MaxBytes"/> (RFC 6762, sections 7.2 and 17).
/// </summary>
public static class DnsPacker
{
    /// <summary>
    /// A query's known answers go on in further messages, all but the last marked truncated; a response's answers are
    /// spread over several; what is only additional is left out when there is no room. A single record that does not
    /// fit is sent alone.
    /// </summary>
    /// <exception cref="ArgumentException">A record cannot be written.</exception>
    public static IEnumerable<byte[]> Pack(DnsMessage message)
    {
        var whole = DnsWriter.Write(message);
        if (whole.Length <= MdnsTiming.MaxBytes)
            return [whole];
        if (message.Additionals.Count > 0)
            return Pack(message with { Additionals = [.. message.Additionals.Take(message.Additionals.Count / 2)] });
        if (message.Answers.Count > 1)
        {
            var half = message.Answers.Count / 2;
            // A continued query carries its questions once.
            var first = message with
            {
                Answers = [.. message.Answers.Take(half)],
                Truncated = !message.IsResponse || message.Truncated,
            };
            var second = message with
            {
                Answers = [.. message.Answers.Skip(half)],
                Questions = message.IsResponse ? message.Questions : [],
            };
            return Pack(first).Concat(Pack(second));
        }
        if (message.Questions.Count > 1 && !message.IsResponse && message.Authorities.Count == 0)
        {
            var half = message.Questions.Count / 2;
            return Pack(message with { Questions = [.. message.Questions.Take(half)] })
                .Concat(Pack(message with { Questions = [.. message.Questions.Skip(half)], Answers = [] }));
        }
        return [whole];
    }
}
