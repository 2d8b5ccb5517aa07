namespace Galaxy.EndToEnd.Tests;

/// <summary>One system at a time: thirteen processes are enough for two cores.</summary>
[CollectionDefinition("system", DisableParallelization = true)]
public sealed class SystemCollection;
