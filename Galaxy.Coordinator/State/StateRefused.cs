using System.Text.Json;
using Galaxy.Core.State;

namespace Galaxy.Coordinator.State;

/// <summary>A write or a question that cannot be served; the message says why, the status is HTTP's.</summary>
internal sealed class StateRefusedException(int status, string message) : Exception(message)
{
    public int Status => status;
}

/// <summary>Turns what the state refuses into problem documents.</summary>
internal static class StateErrors
{
    public static void ExplainStateErrors(this RouteGroupBuilder group) =>
        group.AddEndpointFilter(
            async (invocation, next) =>
            {
                try
                {
                    return await next(invocation);
                }
                catch (StateRefusedException refused)
                {
                    return Results.Problem(refused.Message, statusCode: refused.Status);
                }
                catch (StateLimitException over)
                {
                    return Results.Problem(over.Message, statusCode: StatusCodes.Status413PayloadTooLarge);
                }
                catch (JsonException bad)
                {
                    return Results.Problem(
                        $"The value cannot be used: {bad.Message}",
                        statusCode: StatusCodes.Status400BadRequest
                    );
                }
                catch (IOException disk)
                {
                    return Results.Problem(
                        "This node's disk did not take the write, so it may be lost if the node restarts: "
                            + $"{disk.Message}",
                        statusCode: StatusCodes.Status507InsufficientStorage
                    );
                }
            }
        );
}
