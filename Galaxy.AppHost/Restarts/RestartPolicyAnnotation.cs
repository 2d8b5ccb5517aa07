namespace Galaxy.AppHost.Restarts;

/// <summary>Marks a resource that is started again when it ends by itself.</summary>
internal sealed class RestartPolicyAnnotation : IResourceAnnotation;

internal static class RestartPolicyExtensions
{
    /// <summary>
    /// The resource is started again when it ends without being asked to; see <see cref="RestartState"/> for the pace
    /// and the bound.
    /// </summary>
    public static IResourceBuilder<T> WithRestartPolicy<T>(this IResourceBuilder<T> builder)
        where T : IResource => builder.WithAnnotation(new RestartPolicyAnnotation());
}
