using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// Tells its listeners about changes of tasks once they are durable, and about progress at once. Thread-safe.
/// </summary>
internal sealed class TaskFeed
{
    private const int Backlog = 1000;
    private readonly ConcurrentDictionary<Channel<TaskView>, Func<TaskView, bool>> _listeners = new();

    /// <summary>Raised on the task engine's thread: be quick.</summary>
    public event Action<TaskView>? Published;

    public void Publish(TaskView task)
    {
        Published?.Invoke(task);
        foreach (var (channel, wanted) in _listeners)
        {
            if (wanted(task))
                channel.Writer.TryWrite(task);
        }
    }

    /// <summary>Subscribes to changes from now on. A subscriber that reads too slowly misses the oldest.</summary>
    public TaskSubscription Subscribe(Func<TaskView, bool> wanted)
    {
        var channel = Channel.CreateBounded<TaskView>(
            new BoundedChannelOptions(Backlog) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
        );
        _listeners[channel] = wanted;
        return new TaskSubscription(channel.Reader, () => _listeners.TryRemove(channel, out _));
    }
}

/// <summary>Dispose it to listen no more.</summary>
internal sealed class TaskSubscription(ChannelReader<TaskView> reader, Action end) : IDisposable
{
    public async IAsyncEnumerable<TaskView> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var task in reader.ReadAllAsync(cancellation))
            yield return task;
    }

    public void Dispose() => end();
}
