using System.Security.Claims;
using System.Text.Encodings.Web;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Galaxy.Console.Otlp;

/// <summary>
/// Lets exporters in that present <c>GALAXY_OTLP_TOKEN</c> as <c>x-otlp-api-key</c>: a program that may only report
/// telemetry need not know the cluster's key.
/// </summary>
internal sealed class OtlpTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    IConfiguration configuration
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "OtlpToken";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var presented = Request.Headers["x-otlp-api-key"].ToString();
        if (configuration["GALAXY_OTLP_TOKEN"] is not { Length: > 0 } token || presented.Length == 0)
            return Task.FromResult(AuthenticateResult.NoResult());
        if (!ApiKey.Matches(presented, token))
            return Task.FromResult(AuthenticateResult.Fail("The telemetry token is wrong."));
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "telemetry")], SchemeName);
        return Task.FromResult(
            AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName))
        );
    }
}
