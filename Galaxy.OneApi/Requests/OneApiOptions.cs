using System.Globalization;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.OneApi.Requests;

/// <summary>Settings of this process; what belongs to the cluster is in its configuration.</summary>
/// <param name="MaxBodyMiB">Longer requests are refused: <c>ONEAPI_MAX_BODY_MB</c>.</param>
internal sealed record OneApiOptions(int MaxBodyMiB)
{
    /// <exception cref="SettingException">A setting is not allowed.</exception>
    public static OneApiOptions Read(IConfiguration configuration)
    {
        var text = configuration["ONEAPI_MAX_BODY_MB"];
        if (text is null)
            return new OneApiOptions(Bodies.DefaultMiB);
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            && size is >= 1 and <= 1024
            ? new OneApiOptions(size)
            : throw new SettingException("ONEAPI_MAX_BODY_MB", text, "mebibytes from 1 to 1024");
    }
}
