namespace Galaxy.Coordinator.Storage;

/// <summary>Where the records of one kind are stored, for those that were set aside.</summary>
internal interface IStoredRecords
{
    /// <summary>As the quarantine names it.</summary>
    string Kind { get; }

    /// <summary>Reads a record once more; the quarantine hears what comes of it.</summary>
    Task ReadAgainAsync(string id);

    /// <summary>Deletes a record where it is stored.</summary>
    Task DeleteAsync(string id);
}
