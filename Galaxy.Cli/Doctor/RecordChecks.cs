using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Cli.Doctor;

/// <summary>Stored records that the leader has set aside because they cannot be read or used.</summary>
internal static class RecordChecks
{
    private const int MaxNamed = 5;

    public static async Task<IReadOnlyList<Finding>> LookAsync(Patient patient, CancellationToken cancellationToken)
    {
        using var http = InternalHttp.CreateClient(Patient.Patience, patient.Api);
        if (patient.Settings["GALAXY_API_KEY"] is { Length: > 0 } key)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Trim());
        try
        {
            using var answer = await http.GetAsync(new Uri("/api/v1/quarantine", UriKind.Relative), cancellationToken);
            // An older cluster has no such list.
            if (!answer.IsSuccessStatusCode)
                return [];
            var records = await answer.Content.ReadFromJsonAsync<List<QuarantinedRecord>>(
                GalaxyJson.Options,
                cancellationToken
            ) ?? [];
            return records.Count == 0
                ? [Finding.Fine("records", "No stored record is set aside.")]
                : [.. Named(records)];
        }
        catch (Exception silent)
            when (silent is HttpRequestException or JsonException
                || (silent is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return [];
        }
    }

    private static IEnumerable<Finding> Named(List<QuarantinedRecord> records)
    {
        foreach (var record in records.Take(MaxNamed))
        {
            yield return Finding.Warning(
                "records",
                $"The record '{record.Id}' of {record.Kind} cannot be used: {record.Reason}",
                "See 'galaxy quarantine': delete it there, or mend it in the store and have it read again."
            );
        }
        if (records.Count > MaxNamed)
            yield return Finding.Warning(
                "records",
                $"{records.Count - MaxNamed} more records cannot be used.",
                "See them all with 'galaxy quarantine'."
            );
    }
}
