using System.Globalization;
using System.Net;
using Galaxy.ServiceDefaults.Processes;
using Galaxy.ServiceDefaults.Store;
using Garnet;
using StackExchange.Redis;

// The embedded store: Garnet with its log on disk, in a process of its own.
// Usage: Galaxy.Store --port <port> --data <folder> [--bind <address>]; Galaxy.Store --probe [--port <port>] asks one
// that runs: exit code 0 or 1. The password comes from GALAXY_STORE_PASSWORD: every user of the machine can see a
// command line.
if (args is ["--probe", .. var rest])
    return await ProbeAsync(rest is ["--port", var probed] ? probed : "6379");
ParentProcess.Follow();

// A script waits for its keys, and for the disk, on a thread of the pool; the thread that would end the wait comes from
// the same pool. With as many threads as cores a few waiting clients stop the store for seconds.
ThreadPool.SetMinThreads(64, 64);

const long MaxLogBytes = 64 * 1024 * 1024;
string? port = null,
    data = null,
    bind = "127.0.0.1";
var password = Environment.GetEnvironmentVariable("GALAXY_STORE_PASSWORD") is { Length: > 0 } given ? given : null;
for (var i = 0; i + 1 < args.Length; i += 2)
{
    switch (args[i])
    {
        case "--port":
            port = args[i + 1];
            break;
        case "--data":
            data = args[i + 1];
            break;
        case "--bind":
            bind = args[i + 1];
            break;
        default:
            return Fail(
                $"'{args[i]}' is not an option. Usage: Galaxy.Store --port <port> --data <folder> [--bind <address>]"
            );
    }
}
if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _) || data is null)
    return Fail("--port (1 to 65535) and --data (a folder) are required.");
if (bind is "*")
    bind = "0.0.0.0";
if (!IPAddress.TryParse(bind, out var listen))
    return Fail($"--bind is '{bind}'. Allowed: an IP address, or * for all.");
if (!IPAddress.IsLoopback(listen) && password is null)
    return Fail($"A store that listens on {bind} needs a password: set GALAXY_STORE_PASSWORD, or leave --bind out.");

List<string> options =
[
    "--bind",
    bind,
    "--port",
    port,
    // Scripts are transactions: the lease depends on each of them being atomic.
    "--lua",
    "--lua-transaction-mode",
    // A client that needs a write on the disk sends COMMITAOF; other writes are there within a second. With commit-wait
    // each single call of a script would wait for the disk, and hold its keys meanwhile. RandomAccess needs no native
    // library.
    "--aof",
    "--aof-commit-freq",
    "1000",
    "--recover",
    "--device-type",
    "RandomAccess",
    "--checkpointdir",
    data,
    // What does not fit into the memory goes to files beside the log; without them Garnet is a cache and forgets what
    // was written first. What is out of date in them is thrown away now and then.
    "--storage-tier",
    "--logdir",
    Path.Combine(data, "tier"),
    "--segment",
    "64m",
    "--compaction-freq",
    "60",
    "--compaction-type",
    "Lookup",
    "--compaction-max-segments",
    "16",
    // One household's cluster, not a cache farm.
    "--memory",
    "64m",
    "--page",
    "1m",
    "--index",
    "4m",
    "--aof-memory",
    "16m",
    "--aof-page-size",
    "4m",
    "-q",
];
if (password is not null)
    options.AddRange(["--auth", "Password", "--password", password]);

try
{
    Directory.CreateDirectory(data);
    // Two stores that write one log would destroy it. The lock ends with the process, however that ends.
    using var claim = Claim(data);
    if (claim is null)
        return Fail($"Another store already runs on the folder {data}. Stop it, or choose another folder.");
    using var server = new GarnetServer([.. options]);
    server.Start();
    await WarmUpAsync(port, password);
    using var stopping = new ManualResetEventSlim();
    using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(
        System.Runtime.InteropServices.PosixSignal.SIGTERM,
        context =>
        {
            context.Cancel = true;
            stopping.Set();
        }
    );
    Console.CancelKeyPress += (_, press) =>
    {
        press.Cancel = true;
        stopping.Set();
    };
    Console.WriteLine($"Garnet is ready on port {port}, data in {data}");
    // A checkpoint lets the append-only file start anew before it grows large.
    while (!stopping.Wait(TimeSpan.FromMinutes(1)))
    {
        if (LogBytes(data) > MaxLogBytes)
            await CheckpointAsync(port, password);
    }
    return 0;
}
catch (System.Net.Sockets.SocketException taken)
    when (taken.SocketErrorCode == System.Net.Sockets.SocketError.AddressAlreadyInUse)
{
    return Fail($"Port {port} is taken by another program: stop it or choose another port.");
}

static long LogBytes(string data) =>
    new DirectoryInfo(data).EnumerateFiles("aof*", SearchOption.AllDirectories).Sum(file => file.Length);

// The first script compiles a good part of the server; a candidate for leadership should not wait for that.
static async Task WarmUpAsync(string port, string? password)
{
    await using var redis = await ConnectAsync(port, password);
    await StoreCommit.AfterWriteAsync(redis.GetDatabase());
    await redis
        .GetDatabase()
        .ScriptEvaluateAsync(
            """
            redis.call('HSET', KEYS[1], 'a', '1', 'b', '2')
            redis.call('PEXPIRE', KEYS[1], 60000)
            local fields = redis.call('HMGET', KEYS[1], 'a', 'b')
            redis.call('DEL', KEYS[1])
            redis.call('PUBLISH', KEYS[1], fields[1])
            return fields
            """,
            [$"galaxy:warm-up:{Environment.ProcessId}"]
        );
}

static async Task<ConnectionMultiplexer> ConnectAsync(string port, string? password) =>
    await ConnectionMultiplexer.ConnectAsync(
        $"127.0.0.1:{port},allowAdmin=true,asyncTimeout=20000"
            + (string.IsNullOrEmpty(password) ? "" : $",password={password}")
    );

static async Task CheckpointAsync(string port, string? password)
{
    try
    {
        await using var redis = await ConnectAsync(port, password);
        await redis
            .GetServer("127.0.0.1", int.Parse(port, CultureInfo.InvariantCulture))
            .SaveAsync(SaveType.BackgroundSave);
    }
    catch (RedisException failure)
    {
        Console.Error.WriteLine(
            $"warning: a checkpoint could not be taken, the next try is in a minute: {failure.Message}"
        );
    }
}

static async Task<int> ProbeAsync(string port)
{
    try
    {
        await using var redis = await ConnectAsync(port, Environment.GetEnvironmentVariable("GALAXY_STORE_PASSWORD"));
        await redis.GetDatabase().PingAsync();
        return 0;
    }
    catch (Exception silent) when (silent is RedisException or TimeoutException)
    {
        return Fail(silent.Message);
    }
}

static FileStream? Claim(string data)
{
    try
    {
        return new FileStream(Path.Combine(data, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }
    catch (IOException)
    {
        return null;
    }
}

static int Fail(string message)
{
    Console.Error.WriteLine("error: " + message);
    return 3;
}
