using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace Galaxy.Console.SignIn;

/// <summary>
/// Checks repeatedly whether the session of an open page is still valid: an open page does not outlive its session.
/// </summary>
internal sealed class SessionWatch(ILoggerFactory loggers, Session session)
    : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(2);

    protected override Task<bool> ValidateAuthenticationStateAsync(
        AuthenticationState authenticationState,
        CancellationToken cancellationToken
    ) => Task.FromResult(session.IsValid(authenticationState.User));
}
