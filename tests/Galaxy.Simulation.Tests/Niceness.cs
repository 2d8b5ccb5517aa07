using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Galaxy.Simulation.Tests;

internal static class Niceness
{
    // All test programs run at once; this one would take every core from those that talk to real processes.
    [ModuleInitializer]
    internal static void Begin()
    {
        using var self = Process.GetCurrentProcess();
        self.PriorityClass = ProcessPriorityClass.BelowNormal;
    }
}
