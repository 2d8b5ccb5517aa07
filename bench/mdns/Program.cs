using System.Globalization;
using Galaxy.Bench.Mdns.Codec;
using Galaxy.Bench.Mdns.Transport;

// See run.sh for the commands.
switch (args)
{
    case ["codec", .. var options]:
        var packets = options is ["--packets", var number] ? int.Parse(number, CultureInfo.InvariantCulture) : 650_000;
        IDnsCodec ours = new GalaxyCodec(),
            theirs = new MakaretuCodec(complete: false),
            adapted = new MakaretuCodec(complete: true);
        Console.WriteLine("## Fidelity\n");
        Fidelity.Run((ours, adapted), (adapted, ours), (theirs, ours));
        Console.WriteLine("\n## Time and memory\n");
        Speed.Run(ours, theirs, adapted);
        Console.WriteLine("\n## Damaged packets\n");
        Damage.Run(packets);
        return 0;
    case ["transport", .. var options]:
        if (OtherPrograms.Missing is { } missing)
        {
            Console.Error.WriteLine($"bench/mdns cannot run here: {missing}.");
            return 2;
        }
        var at = Array.IndexOf(options, "--only");
        await TransportTable.RunAsync(at >= 0 ? options[at + 1] : null, options.Contains("--short"));
        return 0;
    case ["node", var instance, .. var options]:
        await MakaretuNode.RunAsync(instance, options is ["--defaults"]);
        return 0;
    default:
        Console.Error.WriteLine(
            "usage: codec [--packets n] | transport [--only galaxy|makaretu|defaults] [--short] | node <instance>"
        );
        return 2;
}
