using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace Galaxy.Console.SignIn;

/// <summary>
/// Looks again and again whether the session of an open page still counts: a page that stays open does not outlive it.
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
