using BenchmarkDotNet.Running;
using Galaxy.Bench.State;

BenchmarkSwitcher.FromAssembly(typeof(StateBenchmarks).Assembly).Run(args);
