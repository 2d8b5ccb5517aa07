using Galaxy.OneApi;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(() => OneApiApp.Build(args));
