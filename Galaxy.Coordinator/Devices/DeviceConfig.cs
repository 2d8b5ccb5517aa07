using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Configuration;
using Galaxy.Coordinator.State;

namespace Galaxy.Coordinator.Devices;

/// <summary>
/// Tells workers what of the cluster's configuration is for them, at once and after each change, over the socket that
/// they have anyway: they reach no coordinator in another way. Secrets do not leave the services that need them.
/// </summary>
internal sealed class DeviceConfig(ConfigCatalog catalog, StateFeed feed)
{
    /// <summary>Returns when the session has ended.</summary>
    public async Task FollowAsync(DeviceSession session, CancellationToken ends)
    {
        // Ten thousand workers are told the same: what they were told is not kept for each.
        ulong? told = null;
        await foreach (var documents in OwnConfiguration.Follow(catalog, feed, session.DeviceId, ends))
        {
            var wanted = new JsonObject([
                .. documents
                    .Where(document => document.Document.ForDevices && document.Json is not null)
                    .Select(document => KeyValuePair.Create(document.Document.Name, document.Json?.DeepClone())),
            ]);
            var message = JsonSerializer.SerializeToUtf8Bytes(
                new JsonObject { ["type"] = "config", ["documents"] = wanted }
            );
            var hash = XxHash3.HashToUInt64(message);
            if (told == hash)
                continue;
            told = hash;
            session.Send(message);
        }
    }
}
