using Galaxy.ServiceDefaults.Nodes;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Galaxy.Router.Mcp;

/// <summary>The MCP server of the cluster, at <c>/mcp</c>.</summary>
internal static class McpExtensions
{
    private const string Instructions =
        "This is a Galaxy cluster: the machines, phones and services of one person, acting as one. Each "
        + "tool is a capability of one or more of them. "
        + "Leave galaxy_target out to let the cluster choose. 'nodes' tells who there is, 'cluster' who leads.";

    public static void AddClusterTools(this IServiceCollection services)
    {
        // A line for each request, and a warning with an exception for each that was cancelled.
        services.AddLogging(logging => logging.AddFilter("ModelContextProtocol", LogLevel.Error));
        services.AddSingleton<McpTools>();
        services.AddHostedService(provider => provider.GetRequiredService<McpTools>());
        services
            .AddMcpServer()
            .WithHttpTransport(http =>
            {
                // Clients of before July 2026 have a session, in which they are told of changes; later ones ask to be
                // told.
                http.SessionMode = HttpServerSessionMode.StatefulForInitializeClients;
#pragma warning disable MCP9006 // Marked as for old clients only, which is what they bound.
                http.IdleTimeout = TimeSpan.FromMinutes(30);
                http.MaxIdleSessionCount = 1000;
#pragma warning restore MCP9006
            });
        services
            .AddOptions<McpServerOptions>()
            .Configure<McpTools>(
                (options, tools) =>
                {
                    options.ServerInfo = new Implementation
                    {
                        Name = "galaxy",
                        Title = "Galaxy",
                        Version = BuildVersion.Text,
                    };
                    options.ServerInstructions = Instructions;
                    options.Capabilities = new ServerCapabilities
                    {
                        Tools = new ToolsCapability { ListChanged = true },
                    };
                    options.ToolCollection = tools.Collection;
                }
            );
    }
}
