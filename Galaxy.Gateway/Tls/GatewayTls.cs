using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Galaxy.Gateway.Tls;

/// <summary>
/// The listener with TLS: <c>GALAXY_TLS_CERT</c> and <c>GALAXY_TLS_KEY</c>, or <c>GALAXY_TLS=auto</c>.
/// </summary>
internal static class GatewayTls
{
    private const int DefaultPort = 8443;

    /// <summary>Null: without TLS.</summary>
    /// <exception cref="SettingException">A setting, or a file that it names, is not allowed.</exception>
    public static ListenPort? Read(IConfiguration configuration, NodeOptions node)
    {
        var certificate = (
            configuration["GALAXY_TLS"],
            configuration["GALAXY_TLS_CERT"],
            configuration["GALAXY_TLS_KEY"]
        ) switch
        {
            (null or "" or "off", null or "", null or "") => null,
            (null or "" or "files", { Length: > 0 } file, { Length: > 0 } keyFile) => FromFiles(file, keyFile),
            (_, { Length: > 0 } file, null or "") => throw new SettingException(
                "GALAXY_TLS_KEY",
                null,
                $"the file with the key of {file} (PEM)"
            ),
            (_, null or "", { Length: > 0 }) => throw new SettingException(
                "GALAXY_TLS_CERT",
                null,
                "the file with the certificate (PEM)"
            ),
            ("auto", _, _) => OfOurOwn(node),
            var (wrong, _, _) => throw new SettingException(
                "GALAXY_TLS",
                wrong,
                "off, or auto for a certificate of the cluster's own; with GALAXY_TLS_CERT and "
                    + "GALAXY_TLS_KEY it is not needed"
            ),
        };
        return certificate is null
            ? null
            : new ListenPort("TLS_PORT", DefaultPort, HttpProtocols.Http1AndHttp2)
            {
                Configure = listen => listen.UseHttps(certificate),
            };
    }

    private static X509Certificate2 FromFiles(string file, string keyFile)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(file, keyFile);
        }
        catch (Exception failure) when (failure is IOException or CryptographicException or UnauthorizedAccessException)
        {
            throw new SettingException(
                "GALAXY_TLS_CERT",
                file,
                $"a certificate and its key in PEM files ({failure.Message.TrimEnd('.')})"
            );
        }
    }

    private static X509Certificate2 OfOurOwn(NodeOptions node)
    {
        var authority = new CertificateAuthority(Path.Combine(node.DataFolder, "tls"), TimeProvider.System);
        try
        {
            var certificate = authority.Issue([
                .. new[]
                {
                    node.Advertise,
                    Dns.GetHostName(),
                    "localhost",
                    "127.0.0.1",
                    "::1",
                    OwnAddresses.Choose().ToString(),
                }
                    .OfType<string>()
                    .Distinct(StringComparer.OrdinalIgnoreCase),
            ]);
            Console.WriteLine(
                $"TLS with a certificate of the cluster's own: trust {authority.CertificateFile} where you "
                    + "connect from."
            );
            return certificate;
        }
        catch (Exception failure) when (failure is IOException or CryptographicException or UnauthorizedAccessException)
        {
            throw new SettingException(
                "GALAXY_DATA",
                node.DataFolder,
                $"a folder for the certificates of GALAXY_TLS=auto ({failure.Message.TrimEnd('.')})"
            );
        }
    }
}
