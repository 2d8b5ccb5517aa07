using Galaxy.Console.Logs;
using Galaxy.Console.Metrics;
using Galaxy.Console.Otlp;
using Galaxy.Console.Traces;
using Galaxy.Contracts.Otlp;
using Galaxy.Contracts.Otlp.Logs;
using Galaxy.Contracts.Otlp.Metrics;
using Grpc.Core;

namespace Galaxy.Console.Receivers;

/// <summary>Traces over gRPC.</summary>
internal sealed class TraceReceiver(TraceStore traces) : TraceService.TraceServiceBase
{
    public override Task<ExportTraceServiceResponse> Export(
        ExportTraceServiceRequest request,
        ServerCallContext context
    )
    {
        traces.Add(OtlpReader.Read(request));
        return Task.FromResult(new ExportTraceServiceResponse());
    }
}

/// <summary>Logs over gRPC.</summary>
internal sealed class LogsReceiver(LogStore logs, TimeProvider time) : LogsService.LogsServiceBase
{
    public override Task<ExportLogsServiceResponse> Export(ExportLogsServiceRequest request, ServerCallContext context)
    {
        logs.Add(OtlpReader.Read(request, time.GetUtcNow()));
        return Task.FromResult(new ExportLogsServiceResponse());
    }
}

/// <summary>Metrics over gRPC.</summary>
internal sealed class MetricsReceiver(MetricStore metrics) : MetricsService.MetricsServiceBase
{
    public override Task<ExportMetricsServiceResponse> Export(
        ExportMetricsServiceRequest request,
        ServerCallContext context
    )
    {
        MetricReader.Read(request, metrics);
        return Task.FromResult(new ExportMetricsServiceResponse());
    }
}
