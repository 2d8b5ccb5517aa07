// A program that knows nothing of Galaxy: OpenTelemetry's SDK for Node, set up by its environment variables alone.
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK();
sdk.start();

const tracer = trace.getTracer('shop');
const logger = logs.getLogger('shop');
const meter = metrics.getMeter('shop');
const sold = meter.createCounter('shop.sold', { unit: '{item}', description: 'Items sold' });
const took = meter.createHistogram('shop.checkout.duration', { unit: 'ms' });
const stock = meter.createObservableGauge('shop.stock');
stock.addCallback(result => result.observe(42, { shelf: 'a' }));

let traceId = '';
tracer.startActiveSpan('checkout', span => {
  traceId = span.spanContext().traceId;
  span.setAttribute('cart.items', 3);
  tracer.startActiveSpan('pay', inner => {
    inner.recordException(new Error('the card was refused'));
    inner.setStatus({ code: SpanStatusCode.ERROR, message: 'the card was refused' });
    logger.emit({ severityNumber: SeverityNumber.ERROR, severityText: 'ERROR', body: 'payment failed: the card was refused', attributes: { 'order.id': 4711 } });
    inner.end();
  });
  span.end();
});
// Rates need two reports.
for (let i = 0; i < 4; i++) {
  sold.add(5, { kind: 'tea' });
  took.record(12 + i);
  await new Promise(done => setTimeout(done, 400));
}
await sdk.shutdown();
console.log(traceId);
