using System.Security.Cryptography;
using Galaxy.Console.SignIn;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;

namespace Galaxy.Console.Tests.SignIn;

/// <summary>What one console seals, any other of the same cluster opens.</summary>
public class SessionKeysTests
{
    private const string Old = "gx-the-old-key-of-the-cluster",
        New = "gx-the-new-key-of-the-cluster";

    private static IDataProtector Console(string key, string? other = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(
            new NodeOptions
            {
                NodeId = Guid.NewGuid().ToString(),
                ApiKey = key,
                OtherApiKey = other,
            }
        );
        services.AddDataProtection().SetApplicationName("galaxy-console").DisableAutomaticKeyGeneration();
        services.AddSingleton<IKeyManager, SessionKeys>();
        return services.BuildServiceProvider().GetRequiredService<IDataProtectionProvider>().CreateProtector("session");
    }

    [Fact]
    public void A_session_is_good_at_another_console_and_after_a_restart_and_not_in_another_cluster()
    {
        var session = Console(Old).Protect("anna");
        Assert.Equal("anna", Console(Old).Unprotect(session));
        Assert.Throws<CryptographicException>(() => Console(New).Unprotect(session));
    }

    [Fact]
    public void While_the_clusters_key_is_changed_both_count_and_then_the_old_ends()
    {
        var (before, during) = (Console(Old, New).Protect("before"), Console(New, Old).Protect("during"));
        Assert.Equal("before", Console(New, Old).Unprotect(before));
        Assert.Equal("during", Console(Old, New).Unprotect(during));
        Assert.Equal("during", Console(New).Unprotect(during));
        Assert.Throws<CryptographicException>(() => Console(New).Unprotect(before));
    }
}
