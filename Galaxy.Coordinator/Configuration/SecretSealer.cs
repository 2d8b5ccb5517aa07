using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Configuration;

/// <summary>
/// While this node leads and the cluster's key is being changed: seals anew what was sealed under the key that goes.
/// </summary>
internal sealed partial class SecretSealer(
    ReplicatedState replica,
    Elector elector,
    ConfigSecrets secrets,
    NodeOptions node,
    Quarantine quarantine,
    TimeProvider time,
    ILogger<SecretSealer> log
) : PeriodicService(Every, time, log)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    protected override Task TurnAsync(CancellationToken stopping)
    {
        if (node.OtherApiKey is null || elector.CurrentToken is null)
            return Task.CompletedTask;
        foreach (var entry in replica.List(Namespaces.Config).Concat(replica.List(Namespaces.ConfigHistory)))
        {
            if (
                entry.Deleted
                || quarantine.Read<JsonNode>(entry) is not { } document
                || !secrets.IsOfOtherKey(document)
            )
                continue;
            var anew = JsonSerializer.SerializeToUtf8Bytes(secrets.Reseal(document, secrets), GalaxyJson.Options);
            replica.Write(
                new EntryId(entry.Namespace, entry.Key),
                new StateWrite(anew, entry.Policy, entry.Latest.Priority)
            );
            LogSealed(entry.Key);
        }
        return Task.CompletedTask;
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The secrets of {Document} are sealed under the present key now"
    )]
    private partial void LogSealed(string document);
}
