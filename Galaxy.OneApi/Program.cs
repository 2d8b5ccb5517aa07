using Galaxy.OneApi;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;

return await GalaxyApp.RunAsync(args, new ListenPort("HTTP_PORT", 8001), () => OneApiApp.Build(args));
