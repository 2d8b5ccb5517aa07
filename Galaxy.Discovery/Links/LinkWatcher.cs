using System.Net.NetworkInformation;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Discovery.Links;

/// <summary>
/// The links of this machine as they come, go and change: the system says so, and every two seconds it is looked at
/// anyway, because not every system says everything. Thread-safe.
/// </summary>
internal sealed class LinkWatcher : PeriodicService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);
    private volatile IReadOnlyList<Link> _current = Link.Enumerate();

    public LinkWatcher(TimeProvider time, ILogger<LinkWatcher> log)
        : base(Look, time, log)
    {
        NetworkChange.NetworkAddressChanged += OnChange;
    }

    /// <summary>Raised after <see cref="Current"/> has changed, on any thread.</summary>
    public event Action? Changed;

    public IReadOnlyList<Link> Current => _current;

    protected override Task TurnAsync(CancellationToken stopping)
    {
        Refresh();
        return Task.CompletedTask;
    }

    public override void Dispose()
    {
        NetworkChange.NetworkAddressChanged -= OnChange;
        base.Dispose();
    }

    private void OnChange(object? sender, EventArgs happened)
    {
        try
        {
            Refresh();
        }
        catch (NetworkInformationException)
        {
            // The next look comes soon.
        }
    }

    private void Refresh()
    {
        var links = Link.Enumerate();
        if (links.SequenceEqual(_current))
            return;
        _current = links;
        Changed?.Invoke();
    }
}
