namespace Galaxy.LocalHosting;

/// <summary>Where local runs keep what must outlive them: <c>.galaxy</c> beside the solution, or <c>GALAXY_DATA</c>.</summary>
public static class DataFolder
{
    public static string Of(IDistributedApplicationBuilder builder) =>
        builder.Configuration["GALAXY_DATA"] is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Path.GetFullPath(Path.Combine(builder.Environment.ContentRootPath, "..", ".galaxy"));
}
