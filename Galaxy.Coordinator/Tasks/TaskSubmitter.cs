using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Core.Scheduling;
using Galaxy.ServiceDefaults;
using TaskState = Galaxy.Contracts.Api.TaskState;

namespace Galaxy.Coordinator.Tasks;

/// <summary>An Idempotency-Key was used before, for something else.</summary>
internal sealed class KeyReusedException() : Exception("This Idempotency-Key was used before with another body.");

/// <summary>Submits what was read of a client: looks up what it depends on and whether it was submitted before, and waits until it is durable.</summary>
internal sealed class TaskSubmitter(TaskEngine engine, TaskStore store)
{
    private const int MostKeyLength = 256;

    /// <param name="key">The Idempotency-Key of draft-ietf-httpapi-idempotency-key-header; null: none.</param>
    /// <param name="body">What the key stands for.</param>
    /// <returns>The task, and whether it is new.</returns>
    /// <exception cref="BadTaskException">A field is wrong.</exception>
    /// <exception cref="KeyReusedException">The key stands for another body.</exception>
    public async Task<(TaskView Task, bool IsNew)> SubmitAsync(
        IReadOnlyList<TaskView> tasks, string? key = null, object? body = null, IReadOnlyDictionary<string, string>? refused = null)
    {
        if (key is not null)
        {
            if (key.Length is 0 or > MostKeyLength)
                throw new BadTaskException($"'Idempotency-Key' must have 1 to {MostKeyLength} characters.");
            var hash = Hash(key);
            var mark = $"{hash} {Hash(JsonSerializer.Serialize(body, GalaxyJson.Options))}";
            if (await store.ReadByIdempotencyAsync(hash) is { } known)
                return (Same(known, mark), false);
            tasks = [tasks[0] with { Idempotency = mark }, .. tasks.Skip(1)];
        }
        var ends = await EndsAsync(tasks);
        try
        {
            return ((await engine.AskAsync(new TaskEvent.Submit(tasks, ends, refused ?? new Dictionary<string, string>())))!, true);
        }
        catch (AlreadySubmittedException again)
        {
            var known = engine.Find(again.TaskId) ?? await store.ReadAsync(again.TaskId) ?? throw new TaskQueueFullException();
            return (tasks[0].Idempotency is { } mark ? Same(known, mark) : known, false);
        }
    }

    private static TaskView Same(TaskView known, string mark) => known.Idempotency == mark ? known : throw new KeyReusedException();

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));

    private async Task<IReadOnlyDictionary<string, TaskState>> EndsAsync(IReadOnlyList<TaskView> tasks)
    {
        if (tasks.All(task => task.Dependencies is null))
            return new Dictionary<string, TaskState>();
        var own = tasks.Select(task => task.TaskId).ToHashSet(StringComparer.Ordinal);
        var others = tasks.SelectMany(task => task.Dependencies ?? []).Select(one => one.TaskId!).Where(id => !own.Contains(id)).Distinct(StringComparer.Ordinal).ToList();
        var stored = await store.ReadManyAsync(others);
        var known = stored.Select(task => task.TaskId).ToHashSet(StringComparer.Ordinal);
        if (others.FirstOrDefault(id => !known.Contains(id) && engine.Find(id) is null) is { } missing)
            throw new BadTaskException($"'dependencies' names '{missing}', which is no task.");
        return stored.Where(task => task.IsOver).ToDictionary(task => task.TaskId, task => task.State, StringComparer.Ordinal);
    }
}
