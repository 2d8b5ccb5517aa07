using System.Net;
using Galaxy.Contracts.Cluster;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ClusterBase = Galaxy.Contracts.Cluster.Cluster.ClusterBase;

namespace Galaxy.Router.Tests.Lab;

/// <summary>A coordinator as routers see it; the test decides what it says. It leads.</summary>
internal sealed class OneCoordinator : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Speaker _speaker = new();

    private OneCoordinator()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(_speaker);
        _app = builder.Build();
        _app.MapGrpcService<Speaker>();
        _app.MapFallback(context => Answer(context));
    }

    public static async Task<OneCoordinator> StartAsync()
    {
        var coordinator = new OneCoordinator();
        await coordinator._app.StartAsync();
        coordinator.Say(_ => { });
        return coordinator;
    }

    public string GrpcUrl => _app.Urls.First();

    public string Url => _app.Urls.Last();

    /// <summary>Its API: what is asked by plain HTTP.</summary>
    public RequestDelegate Answer { get; set; } =
        context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        };

    /// <summary>What is done with an announcement; throws to refuse it.</summary>
    public Action<Service> Announced
    {
        set => _speaker.Announced = value;
    }

    public Action<string> Withdrawn
    {
        set => _speaker.Withdrawn = value;
    }

    /// <summary>Everybody who watches is told a cluster of this coordinator and what the test adds.</summary>
    public void Say(Action<Snapshot> add)
    {
        var snapshot = new Snapshot
        {
            NodeId = "c1",
            Boot = "boot-1",
            Leader = new Leader
            {
                NodeId = "c1",
                Boot = "boot-1",
                Token = 1,
                Url = Url,
            },
        };
        snapshot.Nodes.Add(
            new Node
            {
                NodeId = "c1",
                Boot = "boot-1",
                Role = "coordinator",
                State = "alive",
                Url = Url,
                GrpcUrl = GrpcUrl,
            }
        );
        add(snapshot);
        _speaker.Say(snapshot);
    }

    public async ValueTask DisposeAsync()
    {
        _speaker.End();
        await _app.DisposeAsync();
        _speaker.Dispose();
    }

    private sealed class Speaker : ClusterBase, IDisposable
    {
        private readonly Lock _gate = new();
        private readonly CancellationTokenSource _end = new();
        private Snapshot _snapshot = new();
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Action<Service> Announced { get; set; } = _ => { };

        public Action<string> Withdrawn { get; set; } = _ => { };

        public void Say(Snapshot snapshot)
        {
            lock (_gate)
            {
                _snapshot = snapshot;
                var waiting = _changed;
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting.SetResult();
            }
        }

        public void End() => _end.Cancel();

        public void Dispose() => _end.Dispose();

        public override async Task Watch(
            WatchRequest request,
            IServerStreamWriter<Snapshot> responseStream,
            ServerCallContext context
        )
        {
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, _end.Token);
            while (!ends.IsCancellationRequested)
            {
                Task next;
                Snapshot now;
                lock (_gate)
                    (next, now) = (_changed.Task, _snapshot.Clone());
                await responseStream.WriteAsync(now, ends.Token);
                await next.WaitAsync(ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        public override Task<AnnounceReply> Announce(Service request, ServerCallContext context)
        {
            Announced(request);
            return Task.FromResult(new AnnounceReply());
        }

        public override Task<WithdrawReply> Withdraw(WithdrawRequest request, ServerCallContext context)
        {
            Withdrawn(request.Id);
            return Task.FromResult(new WithdrawReply());
        }
    }
}
