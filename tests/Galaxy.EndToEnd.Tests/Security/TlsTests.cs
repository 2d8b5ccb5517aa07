using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;

namespace Galaxy.EndToEnd.Tests.Security;

/// <summary>A gateway with TLS of the cluster's own, and with files.</summary>
[Collection("shared system")]
public sealed class TlsTests(RunningGalaxy galaxy)
{
    private static readonly string[] Ports = ["WEB_UI_PORT", "API_PORT", "WEBSOCKET_PORT", "TLS_PORT"];

    [Fact]
    public async Task The_clusters_own_authority_is_trusted_once_and_its_certificates_from_then_on()
    {
        using var gateway = new ExtraProcess(
            galaxy,
            "gateway",
            "gateway-tls",
            Ports,
            environment: new Dictionary<string, string> { ["GALAXY_TLS"] = "auto" }
        );
        var address = new Uri($"https://localhost:{gateway.Ports["TLS_PORT"]}");
        var file = Path.Combine(gateway.Data, "tls", "ca.pem");
        using var http = Client(() => file, address);
        await AnswersAsync(http);
        var authority = await File.ReadAllTextAsync(file);

        using var answer = await http.GetAsync("/api/v1/cluster");
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (answer.StatusCode, answer.Version));
        Assert.Contains(
            "max-age",
            answer.Headers.GetValues("Strict-Transport-Security").Single(),
            StringComparison.Ordinal
        );
        using var anonymous = Client(() => file, address);
        anonymous.DefaultRequestHeaders.Authorization = null;
        using var refused = await anonymous.GetAsync("/api/v1/cluster");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            IsTrusted(file, certificate, errors);
        await socket.ConnectAsync(
            new Uri($"wss://localhost:{address.Port}/ws/status?token={galaxy.Key}"),
            CancellationToken.None
        );
        Assert.True((await socket.ReceiveAsync(new byte[65536].AsMemory(), CancellationToken.None)).Count > 0);
        // Who does not trust it is not let near.
        using var stranger = new HttpClient { BaseAddress = address };
        await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetAsync("/alive"));

        await gateway.KillAndStartAsync();
        await AnswersAsync(http);
        Assert.Equal(authority, await File.ReadAllTextAsync(file));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(gateway.Data, "tls", "ca.key"))
            );

        // What it made are files as anybody's.
        using var byFiles = new ExtraProcess(
            galaxy,
            "gateway",
            "gateway-files",
            Ports,
            environment: new Dictionary<string, string>
            {
                ["GALAXY_TLS_CERT"] = Path.Combine(gateway.Data, "tls", "gateway.pem"),
                ["GALAXY_TLS_KEY"] = Path.Combine(gateway.Data, "tls", "gateway.key"),
            }
        );
        using var second = Client(() => file, new Uri($"https://localhost:{byFiles.Ports["TLS_PORT"]}"));
        await AnswersAsync(second);
    }

    [Theory]
    [InlineData("GALAXY_TLS", "yes", "GALAXY_TLS is 'yes'")]
    [InlineData("GALAXY_TLS_CERT", "/nowhere.pem", "GALAXY_TLS_KEY")]
    [InlineData("GALAXY_TLS_KEY", "/nowhere.key", "GALAXY_TLS_CERT")]
    public async Task A_setting_that_makes_no_sense_ends_the_start_in_one_sentence(
        string name,
        string value,
        string said
    )
    {
        using var gateway = new ExtraProcess(
            galaxy,
            "gateway",
            "gateway-wrong",
            Ports,
            environment: new Dictionary<string, string> { [name] = value }
        );

        Assert.Equal(2, await gateway.ExitCodeAsync(TimeSpan.FromSeconds(30)));
        await Eventually.TrueAsync(() => Task.FromResult(gateway.Output.Contains(said, StringComparison.Ordinal)));
    }

    private HttpClient Client(Func<string> authority, Uri address)
    {
        var client = new HttpClient(
            new SocketsHttpHandler
            {
                SslOptions = new SslClientAuthenticationOptions
                {
                    RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                        IsTrusted(authority(), certificate, errors),
                },
            }
        )
        {
            BaseAddress = address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrHigher,
            Timeout = TimeSpan.FromSeconds(10),
        };
        client.DefaultRequestHeaders.Authorization = galaxy.Http.DefaultRequestHeaders.Authorization;
        return client;
    }

    private static async Task AnswersAsync(HttpClient http) =>
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return (await http.GetAsync("/api/v1/cluster")).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });

    private static bool IsTrusted(string authority, X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (
            certificate is null
            || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            || !File.Exists(authority)
        )
            return false;
        using var root = X509CertificateLoader.LoadCertificateFromFile(authority);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        using var presented = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(presented);
    }
}
