using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Core.Tests.Fuzzing;
using Galaxy.Hosts;

namespace Galaxy.Bench.Mdns.Transport;

/// <summary>
/// All criteria for one subject. It runs on the first host of a fresh network; the third is the witness and runs the
/// programs of others; the fourth sends floods, so that limits per source do not hit the witness.
/// </summary>
internal sealed class TransportRun(HostNetwork network, Subject subject, bool isShort)
{
    private const int PerSecond = 10_000;
    private const double Long = 1.5;
    private static readonly IPAddress Elsewhere = IPAddress.Parse("192.168.77.1");
    private static readonly IPEndPoint Group = new(IPAddress.Parse("224.0.0.251"), 5353);
    private static readonly TimeSpan FloodTime = TimeSpan.FromSeconds(10);

    private readonly List<Row> _rows = [];

    private LabHost A => network[0];

    private LabHost C => network[2];

    private const string Instance = Subject.Instance;

    public async Task<IReadOnlyList<Row>> RunAsync()
    {
        // The kernel looks for duplicates of its IPv6 addresses first.
        await Task.Delay(3000);
        using (var witness = await Witness.CreateAsync(C))
        {
            var host = await StartsAsync(witness);
            await AnswersAsync(witness, host);
            if (isShort)
                return _rows;
            await DefendsAsync(witness);
            await OffLinkAsync(witness);
            await OthersAsync(witness);
            await DamagedAsync(witness);
            await FloodedAsync(witness);
            await LeavesAsync(witness);
            await TiesAsync(witness);
            await ConflictAsync(witness);
        }
        await AvahiAsync();
        await ZeroconfAsync();
        using (var witness = await Witness.CreateAsync(C))
        {
            await BesideAvahiAsync(witness);
            await InterfacesAsync(witness);
        }
        return _rows;
    }

    private void Add(string criterion, bool isMet, FormattableString measured)
    {
        _rows.Add(new Row(criterion, isMet, measured.ToString(CultureInfo.InvariantCulture)));
        Console.Error.WriteLine($"{subject.Name}: {(isMet ? "met" : "NOT MET")}: {criterion}: {_rows[^1].Measured}");
    }

    private static async Task<bool> UntilAsync(Func<Task<bool>> isTrue, double seconds)
    {
        for (var began = Witness.Now; Stopwatch.GetElapsedTime(began).TotalSeconds < seconds; await Task.Delay(200))
        {
            if (await isTrue())
                return true;
        }
        return false;
    }

    private bool IsOfSubject(Heard heard) => heard.IsIpv6 || heard.From.Address.Equals(A.Address);

    private List<Heard> Answers(IEnumerable<Heard> heard, bool ipv6 = false) =>
        [.. heard.Where(one => one.IsIpv6 == ipv6 && IsOfSubject(one) && Records.Points(one.Message, Instance))];

    private async Task<List<Heard>> AskAsync(Witness witness, DnsMessage question, bool ipv6 = false)
    {
        var began = Witness.Now;
        witness.Send(question, ipv6);
        return Answers(await witness.ListenAsync(began, Long), ipv6);
    }

    // From the first packet to the last announcement; the host name that the subject has.
    private async Task<string> StartsAsync(Witness witness)
    {
        var began = Witness.Now;
        await subject.StartAsync();
        await UntilAsync(() => Task.FromResult(Answers(witness.After(began)).Count > 0), 30);
        var first = Answers(witness.After(began)).FirstOrDefault();
        var heard = await witness.ListenAsync(first?.At ?? Witness.Now, 5) is var later ? witness.After(began) : later;
        var probes = heard
            .Where(one =>
                !one.IsIpv6 && Records.IsProbe(one.Message, Instance) && one.At < (first?.At ?? long.MaxValue)
            )
            .ToList();
        var gaps = probes
            .Zip(probes.Skip(1), (a, b) => Stopwatch.GetElapsedTime(a.At, b.At).TotalMilliseconds)
            .ToList();
        Add(
            "probing: three probes 250 ms apart before the first announcement",
            probes.Count >= 3 && gaps.All(gap => gap is > 200 and < 350),
            $"{probes.Count} probes{(gaps.Count > 0 ? $", {Join(" and ", gaps, "0")} ms apart" : "")}"
        );
        var announced = Answers(heard);
        var spread = announced.Count > 1 ? Stopwatch.GetElapsedTime(announced[0].At, announced[^1].At).TotalSeconds : 0;
        Add(
            "announcing: at least twice, a second apart, in IPv4",
            announced.Count >= 2 && spread >= 0.9,
            $"{announced.Count} in 5 s over {spread:0.0} s"
        );
        Add("announcing in IPv6", Answers(heard, ipv6: true).Count >= 2, $"{Answers(heard, ipv6: true).Count} in 5 s");
        var records = announced.SelectMany(one => one.Message.Answers.Concat(one.Message.Additionals)).ToList();
        var unique = records
            .Where(record => record.Type is DnsType.Srv or DnsType.Txt or DnsType.A or DnsType.Aaaa)
            .ToList();
        var pointers = records.Where(record => record.Type == DnsType.Ptr).ToList();
        Add(
            "cache-flush bit on unique records and not on shared ones",
            unique.Count > 0 && unique.All(record => record.CacheFlush) && pointers.All(record => !record.CacheFlush),
            $"on {Flushes(unique)} of {unique.Count} unique, {Flushes(pointers)} of {pointers.Count} shared"
        );
        return records.Select(record => record.Data).OfType<DnsSrv>().FirstOrDefault()?.Target ?? "node-a.local.";
    }

    private async Task AnswersAsync(Witness witness, string host)
    {
        var question = Records.Question(Records.Service, DnsType.Ptr);
        await Task.Delay(1500);
        var answers = await AskAsync(witness, question);
        var said = answers
            .SelectMany(one => one.Message.Answers.Concat(one.Message.Additionals))
            .Select(record => record.Type)
            .Distinct()
            .ToList();
        Add(
            "a question is answered with all that is asked next (PTR, SRV, TXT, addresses)",
            new[] { DnsType.Ptr, DnsType.Srv, DnsType.Txt, DnsType.A }.All(said.Contains),
            $"{string.Join(", ", said)}"
        );
        answers = await AskAsync(witness, question);
        Add("the same question 1.5 s later is answered again", answers.Count > 0, $"{answers.Count} answers");
        answers = await AskAsync(witness, question, ipv6: true);
        Add("a question in IPv6 is answered in IPv6", answers.Count > 0, $"{answers.Count} answers");

        // A question without a known answer goes between: a subject that answers nothing suppresses nothing.
        var (suppressed, plain) = (0, 0);
        for (var i = 0; i < 3; i++)
        {
            await Task.Delay(1500);
            answers = await AskAsync(witness, question with { Answers = [Records.Pointer(Instance, 4400 - (uint)i)] });
            suppressed += answers.Count == 0 ? 1 : 0;
            plain += (await AskAsync(witness, question)).Count > 0 ? 1 : 0;
        }
        Add(
            "known-answer suppression (4,400 s left of 4,500)",
            suppressed == 3 && plain == 3,
            $"{suppressed} of 3 suppressed; {plain} of 3 answered without a known answer"
        );
        answers = await AskAsync(witness, question with { Answers = [Records.Pointer(Instance, 1000)] });
        Add("a known answer past half its life does not suppress", answers.Count > 0, $"{answers.Count} answers");
        var began = Witness.Now;
        witness.Send(question with { Truncated = true });
        await Task.Delay(100);
        witness.Send(new DnsMessage { Answers = [Records.Pointer(Instance)] });
        answers = Answers(await witness.ListenAsync(began, Long));
        Add("known answers in a second packet (TC bit) suppress", answers.Count == 0, $"{answers.Count} answers");

        began = Witness.Now;
        for (var i = 0; i < 10; i++)
        {
            witness.Send(question with { Id = (ushort)i });
            await Task.Delay(100);
        }
        answers = Answers(await witness.ListenAsync(began, 2));
        Add(
            "a record is multicast at most once a second",
            answers.Count is > 0 and <= 3,
            $"{answers.Count} answers to 10 questions in 1 s, over 2 s"
        );

        await Task.Delay(1500);
        answers = await AskAsync(witness, Records.Question(Records.Service, DnsType.Ptr, unicast: true));
        Add(
            "a QU question is answered by unicast and not by multicast",
            answers.Count > 0 && answers.All(one => !one.ToGroup),
            $"{answers.Count(one => !one.ToGroup)} by unicast, {answers.Count(one => one.ToGroup)} by multicast"
        );
        await LegacyAsync(question);

        began = Witness.Now;
        witness.Send(Records.Question(host, (DnsType)13));
        var absent = (await witness.ListenAsync(began, Long))
            .Where(one => !one.IsIpv6 && IsOfSubject(one) && one.Message.IsResponse)
            .SelectMany(one => one.Message.Answers.Concat(one.Message.Additionals))
            .Where(record => record.Type == DnsType.Nsec)
            .ToList();
        Add(
            "NSEC for a type that the host name does not have",
            absent.Any(record => Records.IsNamed(record.Name, host)),
            $"{absent.Count} NSEC records"
        );
    }

    private async Task LegacyAsync(DnsMessage question)
    {
        using var socket = C.OpenUdp();
        socket.SendTo(DnsWriter.Write(question with { Id = 0x1234 }), Group);
        var message = await ReceiveAsync(socket, Long, one => Records.Points(one, Instance));
        var ttl = message?.AllRecords.Select(record => record.Ttl).DefaultIfEmpty().Max() ?? 0;
        Add(
            "legacy unicast: the id and question repeated, TTL at most 10 s, no cache-flush bit",
            message is { Id: 0x1234, Questions.Count: 1 }
                && ttl is > 0 and <= 10
                && message.AllRecords.All(record => !record.CacheFlush),
            message is null
                ? (FormattableString)$"no answer"
                : $"id 0x{message.Id:x}, question repeated: {YesNo(message.Questions.Count == 1)}, TTL at most {ttl} s"
        );
    }

    private static async Task<DnsMessage?> ReceiveAsync(Socket socket, double seconds, Func<DnsMessage, bool> isWanted)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var buffer = new byte[9000];
        try
        {
            while (true)
            {
                var length = await socket.ReceiveAsync(buffer, timeout.Token);
                if (DnsReader.TryParse(buffer.AsSpan(0, length), out var message) && isWanted(message))
                    return message;
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private async Task DefendsAsync(Witness witness)
    {
        await Task.Delay(1500);
        var began = Witness.Now;
        witness.Send(
            new DnsMessage
            {
                Questions = [new(Records.FullName(Instance), DnsType.Any)],
                Authorities = [Records.Rival(Instance)],
            }
        );
        var defence = (await witness.ListenAsync(began, Long)).FirstOrDefault(one =>
            !one.IsIpv6
            && IsOfSubject(one)
            && one.Message.IsResponse
            && one.Message.Answers.Any(record =>
                record.Type == DnsType.Srv && Records.IsNamed(record.Name, Records.FullName(Instance))
            )
        );
        Add(
            "another's probe for the name is answered within 250 ms",
            defence is not null && defence.Since(began).TotalMilliseconds < 250,
            defence is null ? (FormattableString)$"no answer" : $"{defence.Since(began).TotalMilliseconds:0} ms"
        );
    }

    private async Task OffLinkAsync(Witness witness)
    {
        await HostNetwork.IpAsync(A.Name, $"route replace {Elsewhere}/32 dev eth0");
        await using var alias = await C.AliasAsync(Elsewhere);
        using var far = C.OpenUdp(5353, from: Elsewhere);
        using var legacy = C.OpenUdp(from: Elsewhere);
        await Task.Delay(1500);
        var began = Witness.Now;
        var question = DnsWriter.Write(Records.Question(Records.Service, DnsType.Ptr));
        far.SendTo(question, Group);
        var answers = Answers(await witness.ListenAsync(began, Long));
        legacy.SendTo(question, Group);
        var privately = await ReceiveAsync(legacy, Long, one => Records.Points(one, Instance)) is null ? 0 : 1;
        await HostNetwork.IpAsync(A.Name, $"route del {Elsewhere}/32 dev eth0");
        Add(
            "a question from another subnet is not answered",
            answers.Count == 0 && privately == 0,
            $"{answers.Count} by multicast, {privately} by legacy unicast"
        );
    }

    // What is found of others, kept fresh and lost.
    private async Task OthersAsync(Witness witness)
    {
        witness.Send(Records.Announcement("leaver", C.Address, 60));
        var isSeen = await UntilAsync(() => subject.SeesAsync("leaver"), 10);
        witness.Send(Records.Announcement("leaver", C.Address, 0));
        var began = Witness.Now;
        var isLost = isSeen && await UntilAsync(async () => !await subject.SeesAsync("leaver"), 10);
        Add(
            "an instance is found, and lost by its goodbye",
            isLost,
            $"found: {YesNo(isSeen)}, lost: {(isLost ? After(began) : "not within 10 s")}"
        );

        began = Witness.Now;
        witness.Send(Records.Announcement("silent", C.Address, 10));
        isSeen = await UntilAsync(() => subject.SeesAsync("silent"), 6);
        var asked = (await witness.ListenAsync(began, 10.3))
            .Where(one =>
                !one.IsIpv6
                && IsOfSubject(one)
                && one.Since(began).TotalSeconds > 7.5
                && one.Message.Questions.Any(question =>
                    question.Type is DnsType.Srv or DnsType.Any
                    && Records.IsNamed(question.Name, Records.FullName("silent"))
                )
            )
            .ToList();
        Add(
            "TTL refresh: an SRV record of 10 s is asked for at 80, 85, 90 and 95 %",
            asked.Count >= 4,
            asked.Count == 0
                ? (FormattableString)$"no question"
                : $"{asked.Count} asked at {Join(", ", asked.Select(one => one.Since(began).TotalSeconds), "0.0")} s"
        );
        isLost = isSeen && await UntilAsync(async () => !await subject.SeesAsync("silent"), 6);
        Add(
            "an instance whose records expire is lost",
            isLost,
            $"found: {YesNo(isSeen)}, lost: {(isLost ? After(began) : "not within 16 s")}"
        );
    }

    private async Task DamagedAsync(Witness witness)
    {
        var corpus = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "dns.hex"))
            .Select(line => line.Trim())
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(Convert.FromHexString)
            .ToList();
        var mutator = new Mutator(new Random(2), [Encoding.Latin1.GetBytes("\u00c0\u000c")], 1400);
        using var socket = network[3].OpenUdp(5353);
        // Not for the name of the subject, which others may have claimed by then.
        var sent = await Flood.SendAsync(socket, Group, _ => mutator.Damage(corpus), 2000, TimeSpan.FromSeconds(10));
        await Task.Delay(3000);
        var answers = subject.Process.HasEnded
            ? []
            : await AskAsync(witness, Records.Question(Records.Service, DnsType.Ptr));
        Add(
            "damaged packets at 2,000/s for 10 s: it runs and answers afterwards",
            !subject.Process.HasEnded && answers.Count > 0,
            $"{sent} packets, {(subject.Process.HasEnded ? "ended" : "runs")}, {answers.Count} answers"
        );
    }

    private async Task FloodedAsync(Witness witness)
    {
        await Task.Delay(3000);
        var process = subject.Process;
        var (memory, cpu) = (process.ResidentMiB, process.ProcessorSeconds);
        using var socket = network[3].OpenUdp(5353);
        var flood = Flood.SendAsync(
            socket,
            Group,
            number => DnsWriter.Write(Records.Announcement($"evil-{number}", network[3].Address, 60)),
            PerSecond,
            FloodTime
        );
        var (questions, answered) = (0, 0);
        while (!flood.IsCompleted)
        {
            questions++;
            answered += (await AskAsync(witness, Records.Question(Records.Service, DnsType.Ptr))).Count > 0 ? 1 : 0;
        }
        var (sent, during, after) = (
            await flood,
            (process.ProcessorSeconds - cpu) / FloodTime.TotalSeconds * 100,
            process.ResidentMiB
        );
        Add(
            "flood of 10,000 announcements/s for 10 s: questions are answered",
            answered >= questions - 1,
            $"{answered} of {questions} answered; {sent} packets"
        );
        Add("flood: less than half a core", during < 50, $"{during:0} % of a core");
        Add("flood: less than 48 MiB more memory", after - memory < 48, $"{memory:0} MiB before, {after:0} after");
        await Task.Delay(5000);
        var answers = await AskAsync(witness, Records.Question(Records.Service, DnsType.Ptr));
        Add("flood: answers 5 s later", answers.Count > 0, $"{answers.Count} answers");
    }

    private async Task LeavesAsync(Witness witness)
    {
        var began = Witness.Now;
        await subject.StopAsync();
        var ended = (await witness.ListenAsync(began, 3))
            .Where(one => !one.IsIpv6 && IsOfSubject(one) && one.Message.IsResponse)
            .SelectMany(one => one.Message.Answers.Concat(one.Message.Additionals))
            .Where(record => record.Ttl == 0)
            .Select(record => record.Type)
            .Distinct()
            .ToList();
        Add(
            "goodbye on SIGTERM: TTL 0 for PTR and SRV",
            ended.Contains(DnsType.Ptr) && ended.Contains(DnsType.Srv),
            $"{(ended.Count == 0 ? "none" : string.Join(", ", ended))}"
        );
    }

    private async Task TiesAsync(Witness witness)
    {
        await Task.Delay(2000);
        var answered = 0L;
        var began = Witness.Now;
        witness.OnHeard = heard =>
        {
            if (answered == 0 && !heard.IsIpv6 && Records.IsProbe(heard.Message, Instance))
            {
                answered = Witness.Now;
                witness.Send(
                    new DnsMessage
                    {
                        Questions = [new(Records.FullName(Instance), DnsType.Any)],
                        Authorities = [Records.Rival(Instance)],
                    }
                );
            }
        };
        await subject.StartAsync();
        await UntilAsync(() => Task.FromResult(Answers(witness.After(began)).Count > 0), 20);
        witness.OnHeard = null;
        var next =
            answered == 0
                ? null
                : witness
                    .After(answered)
                    .FirstOrDefault(one =>
                        !one.IsIpv6 && (Records.IsProbe(one.Message, Instance) || Records.Points(one.Message, Instance))
                    );
        Add(
            "tie-break: the loser of a simultaneous probe waits a second",
            next is not null && next.Since(answered).TotalMilliseconds > 900,
            next is null
                ? (FormattableString)$"no probe to compare with"
                : $"next packet after {next.Since(answered).TotalMilliseconds:0} ms"
        );
        await subject.StopAsync();
    }

    private async Task ConflictAsync(Witness witness)
    {
        await Task.Delay(2000);
        var began = Witness.Now;
        witness.OnHeard = heard =>
        {
            var claims = new DnsMessage
            {
                IsResponse = true,
                Authoritative = true,
                Answers = [Records.Rival(Instance) with { CacheFlush = true }],
            };
            if (
                !heard.IsIpv6
                && IsOfSubject(heard)
                && (Records.IsProbe(heard.Message, Instance) || Records.Points(heard.Message, Instance))
            )
                witness.Send(claims);
        };
        await subject.StartAsync();
        var name = "";
        await UntilAsync(() => Task.FromResult((name = Renamed()).Length > 0), 20);
        witness.OnHeard = null;
        var isKept = Answers(witness.After(began)).Count > 0;
        Add(
            "conflict: another has the name, the subject takes another one",
            name.Length > 0 && !isKept,
            $"other name: {(name.Length > 0 ? name : "none")}; the taken one announced: {YesNo(isKept)}"
        );
        await subject.StopAsync();

        string Renamed() =>
            witness
                .After(began)
                .Where(one => one.Message.IsResponse && IsOfSubject(one))
                .SelectMany(one => one.Message.Answers)
                .Where(record =>
                    record is { Type: DnsType.Ptr, Ttl: > 0 } && Records.IsNamed(record.Name, Records.Service)
                )
                .Select(record => (string)record.Data)
                .FirstOrDefault(target =>
                    !Records.IsNamed(target, Records.FullName(Instance))
                    && target.StartsWith("node-a", StringComparison.Ordinal)
                )
                ?.Split("._ufo")[0]
            ?? "";
    }

    private async Task AvahiAsync()
    {
        await subject.StartAsync();
        await using var avahi = OtherPrograms.StartAvahi(C);
        IReadOnlyList<string> lines = [];
        await UntilAsync(
            async () => Has("IPv4") && Has("IPv6") || (lines = await OtherPrograms.BrowseAsync(C, avahi)) is null,
            25
        );
        Add(
            "avahi-browse resolves it in IPv4 and IPv6",
            Has("IPv4") && Has("IPv6"),
            $"IPv4: {YesNo(Has("IPv4"))}, IPv6: {YesNo(Has("IPv6"))}"
        );
        await using var published = OtherPrograms.Publish(C, avahi, "of-avahi");
        var isSeen = await UntilAsync(() => subject.SeesAsync("of-avahi"), 20);
        await published.StopAsync();
        var isLost = isSeen && await UntilAsync(async () => !await subject.SeesAsync("of-avahi"), 20);
        Add(
            "it finds what avahi-publish announces, and loses it",
            isSeen && isLost,
            $"found: {YesNo(isSeen)}, lost: {YesNo(isLost)}"
        );

        bool Has(string family) => lines.Any(line => line.Contains($"{family};{Instance};", StringComparison.Ordinal));
    }

    private async Task ZeroconfAsync()
    {
        await using var zeroconf = OtherPrograms.StartZeroconf(C);
        var isFound = await UntilAsync(() => Task.FromResult(zeroconf.Output.Contains($"found {Instance}")), 20);
        var isSeen = await UntilAsync(() => subject.SeesAsync("of-zeroconf"), 20);
        Add(
            "zeroconf for Python resolves it, and it finds zeroconf's service",
            isFound && isSeen,
            $"resolved: {YesNo(isFound)}, found: {YesNo(isSeen)}"
        );
    }

    private async Task BesideAvahiAsync(Witness witness)
    {
        await using var avahi = OtherPrograms.StartAvahi(A);
        await Task.Delay(6000);
        var (answered, asked) = (0, 5);
        for (var i = 0; i < asked; i++)
            answered += (await AskAsync(witness, Records.Question(Records.Service, DnsType.Ptr))).Count > 0 ? 1 : 0;
        IReadOnlyList<string> lines = [];
        var isListed = await UntilAsync(
            async () =>
                (lines = await OtherPrograms.BrowseAsync(A, avahi)).Any(line =>
                    line.Contains($";{Instance};", StringComparison.Ordinal)
                ),
            20
        );
        await using var published = OtherPrograms.Publish(A, avahi, "beside");
        var isSeen = await UntilAsync(() => subject.SeesAsync("beside"), 15);
        Add(
            "Avahi on the same host: both answer, and find each other",
            answered == asked && isListed && isSeen,
            $"answers {answered} of {asked}, listed: {YesNo(isListed)}, finds Avahi's service: {YesNo(isSeen)}"
        );
    }

    private async Task InterfacesAsync(Witness witness)
    {
        await Task.Delay(2000);
        await A.UnplugAsync();
        await Task.Delay(4000);
        var (address, began) = (new IPAddress([10, 88, 1, 1]), Witness.Now);
        await A.PlugAsync(address);
        Heard? Found() =>
            witness
                .After(began)
                .FirstOrDefault(one =>
                    one.Message.AllRecords.Any(record => record.Data is IPAddress told && told.Equals(address))
                );
        await UntilAsync(() => Task.FromResult(Found() is not null), 20);
        Add(
            "cable out for 4 s and in with another address: the new address is announced",
            Found() is not null,
            Found() is { } found
                ? (FormattableString)$"after {found.Since(began).TotalSeconds:0.0} s"
                : $"not within 20 s"
        );

        await HostNetwork.IpAsync(C.Name, $"link add eth1 type veth peer name eth1 netns {A.Name}");
        await HostNetwork.IpAsync(C.Name, "addr add 10.89.0.3/24 dev eth1");
        await HostNetwork.IpAsync(A.Name, "addr add 10.89.0.1/24 dev eth1");
        await HostNetwork.IpAsync(C.Name, "link set eth1 up");
        using var socket = C.OpenUdp(5353, Group.Address, IPAddress.Parse("10.89.0.3"));
        began = Witness.Now;
        await HostNetwork.IpAsync(A.Name, "link set eth1 up");
        var told = await ReceiveAsync(socket, 20, message =>
            message.AllRecords.Any(record => record.Data is IPAddress one && one.Equals(IPAddress.Parse("10.89.0.1")))
        );
        Add(
            "a second interface appears: announced there with its address",
            told is not null,
            told is null
                ? (FormattableString)$"not within 20 s"
                : $"after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s"
        );
    }

    private static string Join(string separator, IEnumerable<double> numbers, string format) =>
        string.Join(separator, numbers.Select(number => number.ToString(format, CultureInfo.InvariantCulture)));

    private static string After(long began) =>
        string.Create(CultureInfo.InvariantCulture, $"after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");

    private static int Flushes(IEnumerable<DnsRecord> records) => records.Count(record => record.CacheFlush);

    private static string YesNo(bool value) => value ? "yes" : "no";
}
