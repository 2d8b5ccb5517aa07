using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Console.Resources;

/// <summary>
/// The processes of the console's machine, behind the cluster's own roles: the runner's token stays here.
/// </summary>
internal static class ResourceApi
{
    private static readonly string[] Acts = ["start", "stop", "restart", "kill"];

    public static void MapResourceApi(this IEndpointRouteBuilder endpoints)
    {
        var resources = endpoints.MapGroup("/api/v1/resources").WithTags("Resources");
        resources
            .MapGet("", async (RunnerClient runner, CancellationToken cancellation) =>
                await runner.ListAsync(cancellation) is { } list ? Results.Ok(list) : NoRunner()
            )
            .Produces<IReadOnlyList<ResourceView>>()
            .ProducesProblem(404)
            .WithSummary("The processes of the console's machine");
        resources
            .MapGet("/{name}/output", async (string name, RunnerClient runner, CancellationToken cancellation) =>
                await runner.OutputAsync(name, cancellation) is { } text ? Results.Text(text) : NoResource(name)
            )
            .ProducesProblem(404)
            .WithSummary("The last lines that a process wrote");
        resources
            .MapPost(
                "/{name}/{act}",
                async (string name, string act, RunnerClient runner, CancellationToken cancellation) =>
                    !Acts.Contains(act)
                        ? Results.Problem(
                            $"'{act}' cannot be done with a process; {string.Join(", ", Acts)} can.",
                            statusCode: 400
                        )
                    : await runner.ActAsync(name, act, cancellation) ? Results.Accepted()
                    : NoResource(name)
            )
            .Needs(AccessRole.Admin)
            .Produces(202)
            .ProducesProblem(404)
            .WithSummary("Start, stop, restart or kill a process");
    }

    private static IResult NoRunner() =>
        Results.Problem(
            "The processes of the console's machine were started in another way (a service manager, "
                + "containers): it is steered there.",
            statusCode: 404
        );

    private static IResult NoResource(string name) =>
        Results.Problem($"There is no process '{name}' on the console's machine.", statusCode: 404);
}
