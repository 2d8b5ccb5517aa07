using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// What a client calls a submission, so that a repetition is answered with the same task. It is never the id of a task.
/// The keys of tasks, of batches and of commands are names in three separate namespaces, so that the same text in two
/// of them stands for two things.
/// </summary>
/// <param name="Name">Under which the store keeps the task's id, as long as it keeps the task. Has no spaces.</param>
/// <param name="Body">A hash of what was submitted.</param>
internal sealed record SubmissionKey(string Name, string Body)
{
    private const string Commands = "command:";
    private const string Batches = "batch:";

    /// <summary>What a task is stored with (<see cref="TaskView.Idempotency"/>).</summary>
    public string Mark => $"{Name} {Body}";

    /// <summary>
    /// The Idempotency-Key of one task (draft-ietf-httpapi-idempotency-key-header). The version before wrote the same.
    /// </summary>
    public static SubmissionKey OfTask(string key, object body) => new(Hash(key), HashOf(body));

    /// <summary>
    /// The Idempotency-Key of a batch: a key for each member, and the whole batch as the body of each.
    /// </summary>
    public static IReadOnlyList<SubmissionKey> OfBatch(string key, int members, object body)
    {
        var (name, hash) = (Batches + Hash(key) + ":", HashOf(body));
        return
        [
            .. Enumerable
                .Range(0, members)
                .Select(index => new SubmissionKey(name + index.ToString(CultureInfo.InvariantCulture), hash)),
        ];
    }

    /// <summary>The <c>request_id</c> of a command.</summary>
    public static SubmissionKey OfCommand(string requestId, object body) => new(NameOfCommand(requestId), HashOf(body));

    public static string NameOfCommand(string requestId) => Commands + Hash(requestId);

    /// <summary>The part of a mark by which it is found.</summary>
    public static string NameOf(string mark) => mark.Split(' ')[0];

    /// <summary>What the client calls it.</summary>
    public static string FieldOf(string mark) =>
        mark.StartsWith(Commands, StringComparison.Ordinal) ? "'request_id'" : "Idempotency-Key";

    /// <summary>The task that was submitted with this key before.</summary>
    /// <exception cref="KeyReusedException">Something else was.</exception>
    public TaskView Match(TaskView known) => known.Idempotency == Mark ? known : throw new KeyReusedException(Mark);

    private static string HashOf(object body) => Hash(JsonSerializer.Serialize(body, GalaxyJson.Options));

    private static string Hash(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}

/// <summary>A key was used before, for something else.</summary>
internal sealed class KeyReusedException(string mark)
    : Exception($"This {SubmissionKey.FieldOf(mark)} was used before with another body.");
