using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Galaxy.Hosts;

/// <summary>A Linux network namespace (ip-netns(8)): a host's own links, addresses and ports.</summary>
internal static partial class NetworkNamespace
{
    private const int CloneNewNet = 0x40000000;

    /// <summary>
    /// Runs this on a thread inside the namespace. Sockets that it opens belong to the namespace for good, wherever
    /// they are used afterwards.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no such namespace, or this process may not enter
    /// it.</exception>
    public static T Inside<T>(string name, Func<T> act)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter(name);
                result = act();
            }
            catch (Exception problem)
            {
                failure = ExceptionDispatchInfo.Capture(problem);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    private static void Enter(string name)
    {
        using var handle = File.OpenHandle($"/run/netns/{name}");
        if (SetNamespace(handle, CloneNewNet) != 0)
            throw new InvalidOperationException(
                $"cannot enter the network namespace {name}: {Marshal.GetLastPInvokeErrorMessage()}"
            );
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeHandle handle, int kind);
}
