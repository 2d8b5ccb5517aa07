using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace Galaxy.Console.SignIn;

/// <summary>
/// The keys that seal sessions and forms, derived from the cluster's: every console of the cluster takes them, also one
/// that was just started on a machine that keeps nothing. While the cluster's key is changed both count; with the old
/// one its sessions end.
/// </summary>
internal sealed class SessionKeys : IKeyManager
{
    private readonly IKey[] _keys;

    /// <exception cref="ArgumentException">The node has no key: nothing can be derived.</exception>
    public SessionKeys(NodeOptions node, ILoggerFactory logs)
    {
        ArgumentNullException.ThrowIfNull(node.ApiKey);
        var factory = new AuthenticatedEncryptorFactory(logs);
        // Of two that count, the one that became active later seals; both long ago, for a machine whose clock is wrong.
        _keys = [new Derived(node.ApiKey, 2001, factory)];
        if (node.OtherApiKey is { } other)
            _keys = [new Derived(other, 2000, factory), .. _keys];
    }

    public IReadOnlyCollection<IKey> GetAllKeys() => _keys;

    public CancellationToken GetCacheExpirationToken() => CancellationToken.None;

    public IKey CreateNewKey(DateTimeOffset activationDate, DateTimeOffset expirationDate) => throw Fixed();

    public void RevokeKey(Guid keyId, string? reason = null) => throw Fixed();

    public void RevokeAllKeys(DateTimeOffset revocationDate, string? reason = null) => throw Fixed();

    private static NotSupportedException Fixed() => new("These keys follow from the cluster's: change that one.");

    private sealed class Derived : IKey
    {
        private readonly AuthenticatedEncryptorFactory _factory;

        public Derived(string clusterKey, int activeSince, AuthenticatedEncryptorFactory factory)
        {
            _factory = factory;
            ActivationDate = CreationDate = new DateTimeOffset(activeSince, 1, 1, 0, 0, 0, TimeSpan.Zero);
            KeyId = new Guid(ApiKey.Derive(clusterKey, "console-session-id").AsSpan(0, 16));
            // 64 bytes, as the library makes them itself.
            byte[] secret =
            [
                .. ApiKey.Derive(clusterKey, "console-session-1"),
                .. ApiKey.Derive(clusterKey, "console-session-2"),
            ];
            Descriptor = new AuthenticatedEncryptorDescriptor(
                new AuthenticatedEncryptorConfiguration(),
                new Secret(secret)
            );
        }

        public DateTimeOffset ActivationDate { get; }

        public DateTimeOffset CreationDate { get; }

        public DateTimeOffset ExpirationDate { get; } = new(2999, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public bool IsRevoked => false;

        public Guid KeyId { get; }

        public IAuthenticatedEncryptorDescriptor Descriptor { get; }

        public IAuthenticatedEncryptor? CreateEncryptor() => _factory.CreateEncryptorInstance(this);
    }
}
