namespace Galaxy.Coordinator.Replica;

/// <summary>Opens a file to be written.</summary>
internal delegate FileStream OpenFile(string path, FileMode mode, FileShare share, int bufferSize);

/// <summary>Replaces a file so that a crash at any moment leaves the old one or the new one, whole.</summary>
internal static class DurableFile
{
    private const int BufferSize = 4096;

    public static FileStream Open(string path, FileMode mode, FileShare share, int bufferSize) =>
        new(path, mode, FileAccess.Write, share, bufferSize);

    /// <param name="open">How the file is opened: a test counts what reaches the disk.</param>
    /// <exception cref="IOException">The disk is full or fails; the old file is untouched.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, OpenFile? open = null)
    {
        var next = path + ".next";
        try
        {
            using (var stream = (open ?? Open)(next, FileMode.Create, FileShare.None, BufferSize))
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
