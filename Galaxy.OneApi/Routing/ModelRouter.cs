using Galaxy.Core.Routing;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Models;
using Galaxy.OneApi.Providers;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.OneApi.Routing;

/// <summary>
/// Resolves the name of a model to the targets that can answer, in the order in which they are asked. Thread-safe.
/// </summary>
internal sealed class ModelRouter(
    ProviderCatalog providers,
    ModelDirectory directory,
    ModelRules rules,
    TargetStats stats,
    ClusterWatcher cluster,
    Func<double> random
)
{
    public const string Auto = "auto";
    private const int MostHops = 4;

    /// <param name="user">The user that <c>sticky</c> keeps with one target.</param>
    /// <exception cref="UnknownModelException">No target has such a model.</exception>
    public async ValueTask<Plan> PlanAsync(string name, string? user, CancellationToken cancellation)
    {
        if (rules.Current.Routes.TryGetValue(name, out var route))
            return await OfRouteAsync(route, name, user, cancellation);
        if (name == Auto)
            return new Plan(await OfAutoAsync(cancellation)) { Asked = name };
        return new Plan([await OneAsync(name, cancellation) ?? throw Unknown(name)]) { Asked = name };
    }

    private UnknownModelException Unknown(string name) =>
        new(
            new ModelError(
                ErrorKind.NotFound,
                $"There is no model '{name}'. Providers that can be used: "
                    + $"{string.Join(", ", providers.Names)}. GET /v1/models lists every model.",
                "model"
            )
        );

    private async Task<Plan> OfRouteAsync(ModelRoute route, string asked, string? user, CancellationToken cancellation)
    {
        List<Target> targets = [];
        foreach (var group in route.Members.GroupBy(member => member.Priority).OrderBy(group => group.Key))
            targets.AddRange(Order(route.Strategy, await ResolveAsync(group, cancellation), user));
        targets.AddRange(await ResolveAllAsync(route.Fallbacks, cancellation));
        if (targets.Count == 0)
            throw Unknown(asked);
        // Targets that have just failed are asked last, but they are asked.
        return new Plan([
            .. targets.OrderBy(target => stats.IsAiling(target.Id) ? 1 : 0).DistinctBy(target => target.Id),
        ])
        {
            Asked = asked,
            OnContext = await ResolveAllAsync(route.OnContext, cancellation),
            OnFilter = await ResolveAllAsync(route.OnFilter, cancellation),
        };
    }

    private async Task<List<(Target Target, double Weight)>> ResolveAsync(
        IEnumerable<RouteMember> members,
        CancellationToken cancellation
    )
    {
        List<(Target, double)> found = [];
        foreach (var member in members)
        {
            if (await OneAsync(member.Model, cancellation) is { } target)
                found.Add((target, member.Weight));
        }
        return found;
    }

    private async Task<IReadOnlyList<Target>> ResolveAllAsync(
        IReadOnlyList<string> names,
        CancellationToken cancellation
    )
    {
        List<Target> found = [];
        foreach (var name in names)
        {
            // A fallback may be a route itself; a circle of them ends here.
            if (rules.Current.Routes.TryGetValue(name, out var route) && found.Count < MostHops * 8)
                found.AddRange((await ResolveAsync(route.Members, cancellation)).Select(member => member.Target));
            else if (await OneAsync(name, cancellation) is { } target)
                found.Add(target);
        }
        return found;
    }

    private IEnumerable<Target> Order(string strategy, List<(Target Target, double Weight)> members, string? user)
    {
        var targets = members.Select(member => member.Target);
        return strategy switch
        {
            "weighted" => Weighted(members),
            // A target without a measured latency counts as 0, so that it is tried first.
            "latency" => targets.OrderBy(target => stats.Latency(target.Id) ?? 0),
            "cost" => targets.OrderBy(target =>
                rules.PriceOf(target.Id) is { } price ? price.Input + 3 * price.Output : double.MaxValue
            ),
            "least_busy" => targets.OrderBy(target => stats.Busy(target.Id)).ThenBy(_ => random()),
            "sticky" when user is not null => Sticky(targets, user),
            "sticky" => Weighted(members),
            _ => targets,
        };
    }

    // Efraimidis and Spirakis (2006): a random order in which each comes first as often as its weight says.
    private IEnumerable<Target> Weighted(List<(Target Target, double Weight)> members) =>
        members
            .Select(member =>
                (
                    member.Target,
                    Draw: member.Weight <= 0 ? double.NegativeInfinity : Math.Log(1 - random()) / member.Weight
                )
            )
            .OrderByDescending(drawn => drawn.Draw)
            .Select(drawn => drawn.Target);

    private static IEnumerable<Target> Sticky(IEnumerable<Target> targets, string user)
    {
        var key = RendezvousHash.Of(user);
        return targets.OrderByDescending(target => RendezvousHash.Weigh(key, RendezvousHash.Of(target.Id)));
    }

    private async Task<IReadOnlyList<Target>> OfAutoAsync(CancellationToken cancellation)
    {
        List<Target> targets = [];
        foreach (var entry in rules.Current.Auto)
        {
            if (entry.Contains('/', StringComparison.Ordinal))
            {
                if (await OneAsync(entry, cancellation) is { } named)
                    targets.Add(named);
            }
            else if (
                providers.Find(entry) is { } provider
                && (provider.DefaultModel ?? await FirstAsync(provider, cancellation)) is { } model
            )
            {
                targets.Add(new Target(Backend.Http, provider, model));
            }
        }
        // Whatever is configured and not in the table comes last.
        foreach (
            var provider in providers.All.Where(provider => targets.TrueForAll(target => target.Provider != provider))
        )
        {
            if ((provider.DefaultModel ?? await FirstAsync(provider, cancellation)) is { } model)
                targets.Add(new Target(Backend.Http, provider, model));
        }
        // Without any provider the built-in model answers, and says what it is.
        targets.Add(new Target(Backend.Echo, null, EchoName.Short));
        return [.. targets.OrderBy(target => stats.IsAiling(target.Id) ? 1 : 0)];
    }

    private async Task<string?> FirstAsync(Provider provider, CancellationToken cancellation) =>
        await directory.ListAsync(provider, cancellation) is { Count: > 0 } models ? models[0] : null;

    private async ValueTask<Target?> OneAsync(string name, CancellationToken cancellation)
    {
        if (name == EchoName.Full)
            return new Target(Backend.Echo, null, EchoName.Short);
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0 && name.AsSpan(0, slash) is "device")
            return OfDevice(name[(slash + 1)..]);
        if (slash > 0 && providers.Find(name[..slash]) is { } provider)
            return new Target(Backend.Http, provider, name[(slash + 1)..]);
        return await directory.OwnerAsync(name, cancellation) is { } owner
            ? new Target(Backend.Http, owner, name)
            : null;
    }

    private Target? OfDevice(string rest)
    {
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (id, model) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
        return cluster.Current.Devices.Any(device =>
            device.DeviceId == id && device.Capabilities.Any(capability => capability.Name == "llm.chat")
        )
            ? new Target(Backend.Device, null, model) { Device = id }
            : null;
    }
}

internal sealed class UnknownModelException(ModelError error) : Exception(error.Message)
{
    public ModelError Error => error;
}
