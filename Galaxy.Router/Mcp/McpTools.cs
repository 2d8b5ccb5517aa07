using Galaxy.Router.Catalog;
using Galaxy.Router.Routing;
using Galaxy.Router.Tools;
using ModelContextProtocol.Server;

namespace Galaxy.Router.Mcp;

/// <summary>
/// Keeps the MCP server's tools as the cluster's capabilities are. The library tells every client that a list has
/// changed whenever the collection does.
/// </summary>
internal sealed class McpTools(RouterTable table, ToolRunner runner) : BackgroundService
{
    // Several devices that come together are one change.
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(50);

    public McpServerPrimitiveCollection<McpServerTool> Collection { get; } = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var next = table.NextTable;
            Update(table.Current.Tools);
            await next.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(Burst, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Update(IReadOnlyList<Tool> tools)
    {
        foreach (var old in Collection.OfType<CapabilityTool>().ToList())
        {
            var now = tools.FirstOrDefault(tool => tool.Name == old.Tool.Name);
            if (now is null || !now.Same(old.Tool))
                Collection.Remove(old);
        }
        foreach (var tool in tools.Where(tool => !Collection.TryGetPrimitive(tool.Name, out _)))
            Collection.TryAdd(new CapabilityTool(tool, runner));
    }
}
