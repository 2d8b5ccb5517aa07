using QRCoder;

namespace Galaxy.Cli.Access;

/// <summary>A QR code in a terminal.</summary>
internal static class QrCode
{
    /// <summary>Two rows of the code in each line, dark on light, with a quiet zone.</summary>
    public static string Draw(string text)
    {
        using var generator = new QRCodeGenerator();
        using var data = generator.CreateQrCode(text, QRCodeGenerator.ECCLevel.L);
        var rows = data.ModuleMatrix;
        var drawn = new System.Text.StringBuilder();
        for (var y = 0; y < rows.Count; y += 2)
        {
            for (var x = 0; x < rows[y].Count; x++)
                // Light modules are drawn: terminals are mostly dark.
                drawn.Append(
                    (rows[y][x], y + 1 < rows.Count && rows[y + 1][x]) switch
                    {
                        (false, false) => '█',
                        (false, true) => '▀',
                        (true, false) => '▄',
                        _ => ' ',
                    }
                );
            drawn.AppendLine();
        }
        return drawn.ToString();
    }
}
