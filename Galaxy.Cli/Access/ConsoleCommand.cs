using System.CommandLine;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Cli.Access;

/// <summary><c>galaxy console</c>: a link that signs in at the web console, once.</summary>
internal static class ConsoleCommand
{
    private const string UiPort = "WEB_UI_PORT";
    private const int StandardPort = 8080;

    public static Command Create()
    {
        var at = new Option<string>("--at")
        {
            Description = "The console's address (default: the host of --url, with WEB_UI_PORT or 8080)",
        };
        var command = new Command(
            "console",
            "Print a link that signs you in at the web console: good for once, for a day. Needs the cluster's own key"
        )
        {
            at,
        };
        command.SetAction(parsed =>
        {
            using var context = CliContext.Create(parsed);
            if (context.Node.ApiKey is not { } key)
                throw new CliException(
                    "Without a key the console lets everybody in: open its address. To use a cluster's "
                        + "key, set GALAXY_API_KEY or give --api-key."
                );
            if (AccessKey.IdOf(key) is not null)
                throw new CliException(
                    "A link is made with the cluster's own key. With a key that was given to you, sign in "
                        + "at the console by typing it there."
                );
            var text = parsed.GetValue(at)
                ?? new UriBuilder(context.Url)
                {
                    Port = int.TryParse(context.Configuration[UiPort], out var port) && port > 0 ? port : StandardPort,
                }.Uri.ToString();
            if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
                throw new CliException($"--at is '{text}', which is not an address such as http://127.0.0.1:8080.");
            Console.WriteLine(new Uri(address, "/sign-in/link?code=" + SignInLink.Mint(key, DateTimeOffset.UtcNow)));
            return 0;
        });
        return command;
    }
}
