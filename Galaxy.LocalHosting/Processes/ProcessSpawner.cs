using System.Collections.Concurrent;
using System.Diagnostics;

namespace Galaxy.LocalHosting.Processes;

/// <summary>
/// Starts all children on one thread that lives as long as the supervisor. Linux ties a parent-death signal to the
/// thread that forked, not to the process: a pool thread that retires would take healthy children along.
/// </summary>
internal sealed class ProcessSpawner : IDisposable
{
    private readonly BlockingCollection<(Process Process, TaskCompletionSource Started)> _queue = [];
    private readonly Thread _thread;

    public ProcessSpawner()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "process spawner" };
        _thread.Start();
    }

    public Task StartAsync(Process process)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add((process, started));
        return started.Task;
    }

    private void Run()
    {
        foreach (var (process, started) in _queue.GetConsumingEnumerable())
        {
            try
            {
                process.Start();
                started.SetResult();
            }
            catch (Exception failure)
            {
                started.SetException(failure);
            }
        }
    }

    // The queue is left alone: the thread must outlive every child.
    public void Dispose() => _queue.CompleteAdding();
}
