namespace Galaxy.EndToEnd.Tests;

/// <summary>One system at a time: thirteen processes are enough for two cores.</summary>
[CollectionDefinition("system", DisableParallelization = true)]
public sealed class SystemCollection;

/// <summary>Tests that poison a system, and take turns with one.</summary>
[CollectionDefinition("poisoned system", DisableParallelization = true)]
public sealed class PoisonedSystemCollection : ICollectionFixture<RunningGalaxy>;

/// <summary>
/// Tests that leave the system as it was, but for what they add to it under names of their own, take turns with one.
/// </summary>
[CollectionDefinition("shared system", DisableParallelization = true)]
public sealed class SharedSystemCollection : ICollectionFixture<RunningGalaxy>;
