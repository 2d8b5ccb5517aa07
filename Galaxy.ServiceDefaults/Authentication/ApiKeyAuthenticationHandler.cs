using System.Text.Encodings.Web;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>Authentication of the framework by <see cref="CallerIdentifier"/>: name and role become claims.</summary>
public sealed class ApiKeyAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    CallerIdentifier callers
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";

    private static readonly Task<AuthenticateResult> Nobody = Task.FromResult(AuthenticateResult.NoResult());

    private Identified _caller;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        _caller = callers.Identify(Request);
        if (_caller.IsKnown)
            return Task.FromResult(
                AuthenticateResult.Success(new AuthenticationTicket(Principals.Of(_caller), SchemeName))
            );
        return _caller.Refusal is null ? Nobody : Task.FromResult(AuthenticateResult.Fail(_caller.Refusal));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        Refusals.RefuseAsync(Context, _caller with { Name = "" }, null);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Refusals.RefuseAsync(
            Context,
            new Identified(Context.User.Identity?.Name ?? "", Principals.RoleOf(Context.User), null),
            RequiredRole.Of(Context)?.Role
        );
}
