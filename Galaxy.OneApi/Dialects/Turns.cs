namespace Galaxy.OneApi.Dialects;

/// <summary>
/// Messages that follow each other and come from the same speaker are one turn: the other dialects know turns only.
/// </summary>
internal static class Turns
{
    public static IReadOnlyList<Message> Join(IEnumerable<Message> messages)
    {
        List<Message> turns = [];
        foreach (var message in messages)
        {
            if (turns.Count > 0 && turns[^1].Speaker == message.Speaker && message.Speaker != Speaker.System)
                turns[^1] = new Message(message.Speaker, [.. turns[^1].Parts, .. message.Parts]);
            else
                turns.Add(message);
        }
        return turns;
    }

    /// <summary>All that the system says, wherever it says it: the other dialects have one place for it.</summary>
    public static string SystemOf(IEnumerable<Message> messages) =>
        Paragraphs(messages.Where(message => message.Speaker == Speaker.System).SelectMany(message => message.Parts));

    public static string Paragraphs(IEnumerable<Part> parts) =>
        string.Join("\n\n", parts.OfType<TextPart>().Select(part => part.Text));

    public static string TextOf(IEnumerable<Part> parts) =>
        string.Concat(parts.OfType<TextPart>().Select(part => part.Text));
}
