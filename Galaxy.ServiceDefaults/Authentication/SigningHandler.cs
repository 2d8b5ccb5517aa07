namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>Signs each request to another service of the cluster.</summary>
public sealed class SigningHandler(ServiceTokens tokens) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        tokens.Sign(request);
        return base.SendAsync(request, cancellationToken);
    }
}
