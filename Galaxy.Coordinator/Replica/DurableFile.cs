namespace Galaxy.Coordinator.Replica;

/// <summary>Replaces a file so that a crash at any moment leaves the old one or the new one, whole.</summary>
internal static class DurableFile
{
    /// <exception cref="IOException">The disk is full or fails; the old file is untouched.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var next = path + ".next";
        try
        {
            using (var stream = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }
            File.Move(next, path, overwrite: true);
        }
        catch
        {
            File.Delete(next);
            throw;
        }
    }
}
