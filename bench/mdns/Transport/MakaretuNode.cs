using System.Globalization;
using System.Runtime.InteropServices;
using Makaretu.Dns;

namespace Galaxy.Bench.Mdns.Transport;

/// <summary>
/// A node that announces itself and looks for others by Makaretu.Dns.Multicast alone, until SIGTERM. Writes
/// <c>found name</c> and <c>gone name</c>, each name once until the opposite.
/// </summary>
internal static class MakaretuNode
{
    private const string ServiceType = "_ufo-galaxy._tcp";
    private const int MaxNames = 1000;
    private static readonly TimeSpan BrowseInterval = TimeSpan.FromSeconds(10);

    /// <param name="instance">The service's instance name.</param>
    /// <param name="defaults">
    /// False: messages that were heard within the last minute are not ignored, which favours the library here.
    /// </param>
    public static async Task RunAsync(string instance, bool defaults)
    {
        using var service = new MulticastService();
        service.IgnoreDuplicateMessages = defaults;
        using var discovery = new ServiceDiscovery(service);
        var names = new HashSet<string>(StringComparer.Ordinal);
        discovery.ServiceInstanceDiscovered += (_, found) => Tell("found", found.ServiceInstanceName, isNew: true);
        discovery.ServiceInstanceShutdown += (_, gone) => Tell("gone", gone.ServiceInstanceName, isNew: false);

        var profile = new ServiceProfile(instance, ServiceType, 8071);
        profile.AddProperty("node_id", instance);
        profile.AddProperty("cluster", "lab");
        discovery.Advertise(profile);
        using var ends = new CancellationTokenSource();
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            ends.Cancel();
        });
        service.Start();
        discovery.Announce(profile);
        while (!ends.IsCancellationRequested)
        {
            discovery.QueryServiceInstances(ServiceType);
            await Task.Delay(BrowseInterval, ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        discovery.Unadvertise();
        service.Stop();

        // Names of the flood are not written: that would measure the console.
        void Tell(string what, DomainName name, bool isNew)
        {
            var text = name.Labels.Count > 0 ? name.Labels[0] : "";
            lock (names)
            {
                if (text.StartsWith("evil", StringComparison.Ordinal) || names.Count > MaxNames)
                    return;
                if (isNew ? names.Add(text) : names.Remove(text))
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what} {text}"));
            }
        }
    }
}
