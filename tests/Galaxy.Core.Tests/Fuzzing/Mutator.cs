using System.Buffers.Binary;

namespace Galaxy.Core.Tests.Fuzzing;

/// <summary>
/// Damages inputs: bits, bytes, numbers at their limits, pieces left out, doubled, moved, of another input, and words
/// of the format.
/// </summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> words, int longest)
{
    private static readonly ushort[] Limits =
    [
        0,
        1,
        2,
        0x3F,
        0x40,
        0x7F,
        0x80,
        0xC0,
        0xFF,
        0x100,
        0x7FFF,
        0x8000,
        0xC000,
        0xC00C,
        0xFFFE,
        0xFFFF,
    ];

    /// <summary>A damaged form of one of these.</summary>
    public byte[] Damage(List<byte[]> corpus)
    {
        var bytes = new List<byte>(corpus[random.Next(corpus.Count)]);
        for (var changes = 1 << random.Next(5); changes > 0; changes--)
            Change(bytes, corpus);
        if (bytes.Count > longest)
            bytes.RemoveRange(longest, bytes.Count - longest);
        return [.. bytes];
    }

    private void Change(List<byte> bytes, List<byte[]> corpus)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(bytes.Count - at, 1 << random.Next(7));
        switch (random.Next(10))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 when at + 1 < bytes.Count:
                BinaryPrimitives.WriteUInt16BigEndian(
                    System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes)[at..],
                    Limits[random.Next(Limits.Length)]
                );
                break;
            case 3:
                bytes.RemoveRange(at, length);
                break;
            case 4:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                break;
            case 5:
                var other = corpus[random.Next(corpus.Count)];
                var from = random.Next(other.Length + 1);
                bytes.InsertRange(at, other.AsSpan(from, Math.Min(other.Length - from, 1 << random.Next(9))).ToArray());
                break;
            case 6 when words.Count > 0:
                bytes.InsertRange(at, words[random.Next(words.Count)]);
                break;
            case 7 when bytes.Count > 0 && random.Next(4) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 8:
                // The same again and again: what is nested or counted.
                var piece = bytes.GetRange(at, Math.Min(length, 8));
                for (var times = 1 << random.Next(8); times > 0 && bytes.Count < longest; times--)
                    bytes.InsertRange(at, piece);
                break;
            case 9:
                bytes.Insert(at, (byte)random.Next(256));
                break;
        }
    }
}
