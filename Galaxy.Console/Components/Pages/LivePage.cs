using Galaxy.ServiceDefaults.Cluster;
using Microsoft.AspNetCore.Components;

namespace Galaxy.Console.Components.Pages;

/// <summary>A page that follows the cluster: it renders again with each change, never by reload.</summary>
public abstract class LivePage : ComponentBase, IAsyncDisposable
{
    private readonly CancellationTokenSource _leaving = new();
    private Task _following = Task.CompletedTask;

    [Inject]
    protected ClusterWatcher Watcher { get; set; } = default!;

    protected ClusterView View { get; private set; } = ClusterView.Empty;

    protected CancellationToken Leaving => _leaving.Token;

    protected override async Task OnInitializedAsync()
    {
        View = Watcher.Current;
        await RefreshAsync();
        // The first, static rendering has nobody to update.
        if (RendererInfo.IsInteractive)
            _following = FollowAsync();
    }

    /// <summary>Fetches what the view does not hold, before each rendering.</summary>
    protected virtual Task RefreshAsync() => Task.CompletedTask;

    private async Task FollowAsync()
    {
        try
        {
            await foreach (var view in Watcher.Changes(_leaving.Token))
            {
                await InvokeAsync(async () =>
                {
                    View = view;
                    await RefreshAsync();
                    StateHasChanged();
                });
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or ObjectDisposedException)
        {
            // The person left the page.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _following;
        _leaving.Dispose();
        GC.SuppressFinalize(this);
    }
}
