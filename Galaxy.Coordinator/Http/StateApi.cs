using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Http;

/// <summary>The replicated state by REST. Any coordinator serves it, with or without a leader.</summary>
internal static class StateApi
{
    private const int MaxPage = 1000;

    public static void MapStateApi(this IEndpointRouteBuilder endpoints)
    {
        var state = endpoints.MapGroup("/api/v1/state");
        state.ExplainStateErrors();
        state.MapGet("", Overview).WithSummary("What the replicated state holds");
        state
            .MapGet("/{ns}", List)
            .WithSummary("A namespace's entries by key; prefix, limit and after page through them");
        state
            .MapGet("/{ns}/{**key}", Get)
            .Produces<StateEntryView>()
            .ProducesProblem(404)
            .WithSummary("One entry; its ETag names what was read");
        state
            .MapPut("/{ns}/{**key}", PutAsync)
            .Produces<StateEntryView>()
            .ProducesProblem(412)
            .ReadsItsBody()
            .WithSummary(
                "Write a value: the body as it is. ?policy= and ?priority= say how concurrent writes are "
                    + "read. If-Match or "
                    + "If-None-Match: * make it conditional on what the answering coordinator has: good "
                    + "against overwriting what others "
                    + "have changed, no lock, as another coordinator may accept a write at the same time"
            );
        state
            .MapDelete("/{ns}/{**key}", Delete)
            .ProducesProblem(404)
            .ProducesProblem(412)
            .WithSummary("Delete an entry; If-Match as with PUT");
    }

    private static StateOverview Overview(ReplicatedState replica)
    {
        var all = replica.All;
        return new StateOverview(
            all.Where(entry => !entry.Deleted)
                .GroupBy(entry => entry.Namespace)
                .ToDictionary(group => group.Key, group => group.Count()),
            all.Count,
            replica.Size.Bytes,
            new StateLimits().TotalBytes,
            all.Count(entry => entry.IsContested)
        );
    }

    private static StatePage List(ReplicatedState replica, string ns, string? prefix, string? after, int? limit)
    {
        var size = limit ?? 100;
        if (size is < 1 or > MaxPage)
            throw new StateRefusedException(400, $"'limit' is {size}; allowed is 1 to {MaxPage}.");
        Readable(ns);
        var page = replica
            .List(ns)
            .Where(entry =>
                entry.Key.StartsWith(prefix ?? "", StringComparison.Ordinal)
                && string.CompareOrdinal(entry.Key, after ?? "") > (after is null ? -1 : 0)
            )
            .Take(size + 1)
            .ToList();
        return new StatePage(
            [.. page.Take(size).Select(entry => entry.ToView())],
            page.Count > size ? page[size - 1].Key : null
        );
    }

    private static IResult Get(ReplicatedState replica, HttpContext http, string ns, string key)
    {
        Readable(ns);
        var entry = replica.Get(ns, key) ?? throw Missing(ns, key);
        var view = entry.ToView();
        http.Response.Headers.ETag = view.Etag;
        return http.Request.Headers.IfNoneMatch == view.Etag
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Ok(view);
    }

    private static async Task<IResult> PutAsync(
        ReplicatedState replica,
        HttpContext http,
        string ns,
        string key,
        string? policy,
        int? priority
    )
    {
        var id = Writable(ns, key);
        var value = await ReadBodyAsync(http);
        var before = replica.Find(id);
        var chosen = policy is null
            ? before?.Policy ?? ConflictPolicy.LastWriteWins
            : ConflictPolicies.Parse(policy)
                ?? throw new StateRefusedException(
                    400,
                    $"'policy' is '{policy}'; allowed are {string.Join(", ", ConflictPolicies.Names)}."
                );
        // What is merged is JSON, whatever it was sent as.
        if (chosen == ConflictPolicy.Merge && JsonInput.Validate(value.Span) is { } error)
            throw new StateRefusedException(400, error.ToString());
        var entry = replica.Write(id, new StateWrite(value, chosen, priority ?? 0), Condition(http))
            ?? replica.Get(ns, key)
            ?? throw Missing(ns, key);
        var view = entry.ToView();
        http.Response.Headers.ETag = view.Etag;
        return Results.Ok(view);
    }

    private static IResult Delete(ReplicatedState replica, HttpContext http, string ns, string key) =>
        replica.Write(Writable(ns, key), new StateWrite(null), Condition(http)) is null
            ? throw Missing(ns, key)
            : Results.NoContent();

    // The state's bound comes first: no body is read that could not be stored.
    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext http)
    {
        var most = new StateLimits().EntryBytes;
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await http.Request.Body.ReadAsync(buffer, http.RequestAborted) is > 0 and var read)
        {
            body.Write(buffer, 0, read);
            if (body.Length > most)
                throw new StateRefusedException(
                    413,
                    $"The value has more than {most} bytes, which is what an entry may have."
                );
        }
        if (body.Length == 0)
            throw new StateRefusedException(400, "The body is empty: send the value, or DELETE the key.");
        if (http.Request.HasJsonContentType() && JsonInput.Validate(body.ToArray()) is { } error)
            throw new StateRefusedException(400, error.ToString());
        return body.ToArray();
    }

    internal static Action<StateEntry?>? Condition(HttpContext http)
    {
        var (match, none) = ((string?)http.Request.Headers.IfMatch, (string?)http.Request.Headers.IfNoneMatch);
        if (match is null && none is null)
            return null;
        return entry =>
        {
            var now = entry is { Deleted: false } ? StateViews.Etag(entry) : null;
            if (none is not null && (none == "*" ? now is not null : none == now))
                throw new StateRefusedException(
                    412,
                    now is null ? "There is no such entry." : $"The entry exists; its ETag is {now}."
                );
            if (match is not null && (match == "*" ? now is null : match != now))
                throw new StateRefusedException(
                    412,
                    now is null
                        ? "The entry does not exist any more."
                        : $"The entry has changed: its ETag is {now}. Read it again."
                );
        };
    }

    private static void Readable(string ns)
    {
        if (ns == Namespaces.Access)
            throw new StateRefusedException(403, "Keys are seen through /api/v1/access only.");
    }

    /// <summary>Every write that a client names by namespace and key passes here.</summary>
    /// <exception cref="StateRefusedException">The namespace is Galaxy's own, or a name cannot be used.</exception>
    internal static EntryId Writable(string ns, string key)
    {
        if (Namespaces.IsReserved(ns))
            throw new StateRefusedException(
                403,
                $"The namespace '{ns}' is Galaxy's own: it changes through its own API. Choose another name."
            );
        if (ns.Length is 0 or > 64 || !ns.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new StateRefusedException(400, "A namespace may have letters, digits, '-', '_' and '.', at most 64.");
        if (key.Length is 0 or > 512 || key.Any(char.IsControl))
            throw new StateRefusedException(
                400,
                "A key may have 1 to 512 characters, none of them a control character."
            );
        return new EntryId(ns, key);
    }

    internal static StateRefusedException Missing(string ns, string key) =>
        new(404, $"There is no entry '{key}' in the namespace '{ns}'.");
}
