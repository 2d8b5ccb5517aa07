using Galaxy.Console.Cluster;
using Galaxy.Console.People;
using Galaxy.Console.Texts;
using Galaxy.ServiceDefaults.Cluster;
using Microsoft.AspNetCore.Components;

namespace Galaxy.Console.Components.Pages;

/// <summary>
/// A page that follows the cluster: it renders again with each change, at a pace that can be read, never by reload.
/// </summary>
public abstract class LivePage : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _leaving = new();
    private readonly SemaphoreSlim _stale = new(0, 1);
    private readonly List<IDisposable> _followed = [];
    private Task _loops = Task.CompletedTask;

    [Inject]
    protected ClusterWatcher Watcher { get; set; } = default!;

    [Inject]
    protected ClusterApi Api { get; set; } = default!;

    [Inject]
    protected Viewer Viewer { get; set; } = default!;

    [Inject]
    protected T T { get; set; } = default!;

    protected ClusterView View { get; private set; } = ClusterView.Empty;

    protected CancellationToken Leaving => _leaving.Token;

    protected bool IsLive => RendererInfo.IsInteractive;

    protected override async Task OnInitializedAsync()
    {
        View = Watcher.Current;
        await RefreshAsync();
        // The first, static rendering has no client to update.
        if (!IsLive)
            return;
        _followed.AddRange(Follow());
        _loops = Task.WhenAll(FollowClusterAsync(), RenderAsync());
    }

    /// <summary>Fetches what the view does not hold, before each rendering.</summary>
    protected virtual Task RefreshAsync() => Task.CompletedTask;

    /// <summary>What else is followed, besides the cluster: subscriptions that call <see cref="Mark"/>.</summary>
    protected virtual IEnumerable<IDisposable> Follow() => [];

    /// <summary>Marks the page as changed. From any thread.</summary>
    protected void Mark()
    {
        try
        {
            _stale.Release();
        }
        catch (Exception known) when (known is SemaphoreFullException or ObjectDisposedException)
        {
            // The page is marked already, or was closed.
        }
    }

    private async Task FollowClusterAsync()
    {
        try
        {
            await foreach (var view in Watcher.Changes(_leaving.Token))
            {
                View = view;
                Mark();
            }
        }
        catch (OperationCanceledException)
        {
            // The person left the page.
        }
    }

    private async Task RenderAsync()
    {
        try
        {
            while (!_leaving.IsCancellationRequested)
            {
                await _stale.WaitAsync(_leaving.Token);
                await InvokeAsync(async () =>
                {
                    await RefreshAsync();
                    StateHasChanged();
                });
                await Task.Delay(Pace, _leaving.Token);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or ObjectDisposedException)
        {
            // The person left the page.
        }
        catch (Exception failure)
        {
            await DispatchExceptionAsync(failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        foreach (var followed in _followed)
            followed.Dispose();
        await _loops;
        _stale.Dispose();
        _leaving.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>A subscription to an event of .NET, ended by disposing of it.</summary>
internal sealed class Listening(Action end) : IDisposable
{
    public static IDisposable To(Action<Action> add, Action<Action> remove, Action handler)
    {
        add(handler);
        return new Listening(() => remove(handler));
    }

    public void Dispose() => end();
}
