using Galaxy.Console.Traces;
using Galaxy.Contracts.Otlp;
using Galaxy.Contracts.Otlp.Logs;
using Galaxy.Contracts.Otlp.Metrics;
using Grpc.Core;

namespace Galaxy.Console.Otlp;

/// <summary>OTLP over gRPC: traces are kept.</summary>
internal sealed class TraceReceiver(TraceStore traces) : TraceService.TraceServiceBase
{
    public override Task<ExportTraceServiceResponse> Export(ExportTraceServiceRequest request, ServerCallContext context)
    {
        traces.Add(OtlpReader.Read(request));
        return Task.FromResult(new ExportTraceServiceResponse());
    }
}

/// <summary>Logs are accepted so that exporters stay quiet; they are not kept yet.</summary>
internal sealed class LogsReceiver : LogsService.LogsServiceBase
{
    public override Task<ExportLogsServiceResponse> Export(ExportLogsServiceRequest request, ServerCallContext context) => Task.FromResult(new ExportLogsServiceResponse());
}

/// <summary>Metrics are accepted so that exporters stay quiet; they are not kept yet.</summary>
internal sealed class MetricsReceiver : MetricsService.MetricsServiceBase
{
    public override Task<ExportMetricsServiceResponse> Export(ExportMetricsServiceRequest request, ServerCallContext context) => Task.FromResult(new ExportMetricsServiceResponse());
}
