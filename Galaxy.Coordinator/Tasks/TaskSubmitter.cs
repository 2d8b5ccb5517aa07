using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// Submits what was read of a client: looks up what it depends on and whether it was submitted before, and waits until
/// it is durable.
/// </summary>
internal sealed class TaskSubmitter(TaskEngine engine, TaskStore store)
{
    private static readonly IReadOnlyDictionary<string, string> NoneRefused = new Dictionary<string, string>();

    /// <param name="tasks">The task, then its parts.</param>
    /// <param name="key">Null: nothing is known of a repetition.</param>
    /// <param name="refused">Parts that cannot be done, and why.</param>
    /// <returns>The task, and whether it is new.</returns>
    /// <exception cref="BadTaskException">A field is wrong.</exception>
    /// <exception cref="TaskTooLargeException">It is more than may be written at once.</exception>
    /// <exception cref="KeyReusedException">The key stands for another body.</exception>
    public async Task<(TaskView Task, bool IsNew)> SubmitAsync(
        IReadOnlyList<TaskView> tasks,
        SubmissionKey? key = null,
        IReadOnlyDictionary<string, string>? refused = null
    )
    {
        var (answers, isNew) = await SubmitManyAsync([tasks], key is null ? null : [key], refused);
        return (answers[0], isNew);
    }

    /// <summary>All that is not known yet is written at once, or nothing of it.</summary>
    /// <param name="submissions">Of each: the task, then its parts.</param>
    /// <param name="keys">One for each submission; null: nothing is known of a repetition.</param>
    /// <param name="refused">Parts that cannot be done, and why.</param>
    /// <returns>One task for each submission, in their order, and whether any is new.</returns>
    /// <exception cref="BadTaskException">A field is wrong.</exception>
    /// <exception cref="KeyReusedException">A key stands for another body; nothing was written.</exception>
    public async Task<(IReadOnlyList<TaskView> Tasks, bool IsNew)> SubmitManyAsync(
        IReadOnlyList<IReadOnlyList<TaskView>> submissions,
        IReadOnlyList<SubmissionKey>? keys = null,
        IReadOnlyDictionary<string, string>? refused = null
    )
    {
        // Taken before the store is asked: the engine knows every key that it was given since then.
        long? takeover = keys is null ? null : await engine.TakeoverAsync();
        var answers = keys is null ? new TaskView?[submissions.Count] : await FindAsync(keys);
        var missing = Enumerable.Range(0, answers.Length).Where(i => answers[i] is null).ToList();
        if (missing.Count == 0)
            return ([.. answers.Select(one => one!)], false);

        IReadOnlyList<TaskView> Marked(int i) =>
            keys is null
                ? submissions[i]
                : [submissions[i][0] with { Idempotency = keys[i].Mark }, .. submissions[i].Skip(1)];
        var fresh = missing.ConvertAll(Marked);
        var bytes = TaskSize.Measure(fresh.SelectMany(tasks => tasks));
        var submit = new TaskEvent.Submit(
            fresh,
            await EndsAsync([.. fresh.SelectMany(tasks => tasks)]),
            refused ?? NoneRefused
        )
        {
            Takeover = takeover,
            Bytes = bytes,
        };
        await engine.AskAsync(submit);
        for (var n = 0; n < missing.Count; n++)
            answers[missing[n]] = submit.Accepted[n]
                ?? await store.ReadAsync(submit.TaskIds[n])
                ?? throw new TaskQueueFullException();
        return (
            [.. answers.Select(one => one!)],
            missing.Where((_, n) => submit.TaskIds[n] == fresh[n][0].TaskId).Any()
        );
    }

    private async Task<TaskView?[]> FindAsync(IReadOnlyList<SubmissionKey> keys)
    {
        var known = await store.ReadByKeyAsync([.. keys.Select(key => key.Name)]);
        return [.. known.Select((task, i) => task is null ? null : keys[i].Match(task))];
    }

    private async Task<IReadOnlyDictionary<string, TaskState>> EndsAsync(IReadOnlyList<TaskView> tasks)
    {
        if (tasks.All(task => task.Dependencies is null))
            return new Dictionary<string, TaskState>();
        var own = tasks.Select(task => task.TaskId).ToHashSet(StringComparer.Ordinal);
        var others = tasks
            .SelectMany(task => task.Dependencies ?? [])
            .Select(one => one.TaskId!)
            .Where(id => !own.Contains(id))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        var stored = await store.ReadManyAsync(others);
        var known = stored.Select(task => task.TaskId).ToHashSet(StringComparer.Ordinal);
        if (others.FirstOrDefault(id => !known.Contains(id) && engine.Find(id) is null) is { } missing)
            throw new BadTaskException($"'dependencies' names '{missing}', which is no task.");
        return stored
            .Where(task => task.IsOver)
            .ToDictionary(task => task.TaskId, task => task.State, StringComparer.Ordinal);
    }
}
