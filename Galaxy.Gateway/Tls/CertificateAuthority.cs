using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Galaxy.Gateway.Tls;

/// <summary>
/// An authority of this cluster's own, made at first start: a client that trusts its <c>ca.pem</c> once trusts every
/// certificate that it makes. Certificates are for a year, and made anew two months before they end or when the machine
/// has another name or address.
/// </summary>
internal sealed class CertificateAuthority(string folder, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);
    private static readonly TimeSpan CertificateLifetime = TimeSpan.FromDays(365);
    private static readonly TimeSpan Early = TimeSpan.FromDays(60);

    /// <summary>What others have to trust.</summary>
    public string CertificateFile => Path.Combine(folder, "ca.pem");

    private string KeyFile => Path.Combine(folder, "ca.key");

    /// <summary>A certificate for these names and addresses, with its key.</summary>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public X509Certificate2 Issue(IReadOnlyList<string> names)
    {
        Directory.CreateDirectory(folder);
        using var authority =
            File.Exists(CertificateFile) && File.Exists(KeyFile)
                ? X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile)
                : Found();
        var file = Path.Combine(folder, "gateway.pem");
        var keyFile = Path.Combine(folder, "gateway.key");
        if (File.Exists(file) && File.Exists(keyFile) && X509Certificate2.CreateFromPemFile(file, keyFile) is var known)
        {
            if (
                known.NotAfter - Early > time.GetUtcNow()
                && known.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData)
                && names.All(name => known.MatchesHostname(name))
            )
                return Usable(known);
            known.Dispose();
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + names[0], key, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternative.AddIpAddress(address);
            else
                alternative.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternative.Build());
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true)
        );
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true)
        );
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)
        );
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
                authority,
                includeKeyIdentifier: true,
                includeIssuerAndSerial: false
            )
        );
        var now = time.GetUtcNow();
        using var made = request.Create(
            authority,
            now.AddHours(-1),
            now + CertificateLifetime,
            RandomNumberGenerator.GetBytes(16)
        );
        WriteSecret(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(file, made.ExportCertificatePem());
        return Usable(made.CopyWithPrivateKey(key));
    }

    private X509Certificate2 Found()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Named apart from every other cluster's, so that both can be trusted at once.
        var request = new CertificateRequest(
            $"CN=Galaxy {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}",
            key,
            HashAlgorithmName.SHA256
        );
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: true,
                hasPathLengthConstraint: true,
                0,
                critical: true
            )
        );
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true)
        );
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        var made = request.CreateSelfSigned(now.AddHours(-1), now + Lifetime);
        WriteSecret(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(CertificateFile, made.ExportCertificatePem());
        return made;
    }

    // Windows takes no key that is in memory only.
    private static X509Certificate2 Usable(X509Certificate2 certificate)
    {
        if (!OperatingSystem.IsWindows())
            return certificate;
        using (certificate)
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }

    private static void WriteSecret(string file, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(file, options);
        writer.Write(text);
    }
}
