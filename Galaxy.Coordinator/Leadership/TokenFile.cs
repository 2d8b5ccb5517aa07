using System.Globalization;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Leadership;

/// <summary>
/// The highest token that this node has seen, on its own disk: so that a store which lost its data cannot give out an
/// old one even when every coordinator was restarted. Written without waiting for the disk: a process that dies loses
/// nothing.
/// </summary>
internal sealed partial class TokenFile
{
    private readonly string _file;
    private readonly ILogger<TokenFile> _log;

    public TokenFile(NodeOptions node, ILogger<TokenFile> log)
    {
        _log = log;
        _file = Path.Combine(node.DataFolder, "token");
    }

    /// <summary>0 when there is none.</summary>
    public long Read()
    {
        try
        {
            return
                File.Exists(_file)
                && long.TryParse(
                    File.ReadAllText(_file),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var token
                )
                ? token
                : 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogUnusable(_file, failure.Message);
            return 0;
        }
    }

    public void Write(long token)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
            var next = _file + ".next";
            File.WriteAllText(next, token.ToString(CultureInfo.InvariantCulture));
            File.Move(next, _file, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogUnusable(_file, failure.Message);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Tokens are not kept across a restart: {File} cannot be used ({Reason}). Set GALAXY_DATA to a "
            + "folder that can be written."
    )]
    private partial void LogUnusable(string file, string reason);
}
