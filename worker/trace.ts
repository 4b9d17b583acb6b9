/**
 * Traces by OpenTelemetry: run, streams, activities, requests and loads of one sync are one trace. Loaded only where an endpoint is set
 * (OTEL_EXPORTER_OTLP_…), since the libraries cost start-up and memory.
 */
import { SpanStatusCode, trace as traces } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { Resource } from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry'
import type { ActivityInterceptorsFactory, WorkerOptions } from '@temporalio/worker'
import { asFailure } from '../src/core/failure.js'
import type { Trace } from '../src/observe/trace.js'

export interface Tracing {
  trace: Trace
  activity: ActivityInterceptorsFactory
  /** What the workflows' spans go out by. */
  sinks: NonNullable<WorkerOptions['sinks']>
  /** Sends what is still held. */
  stop: () => Promise<void>
}

/** Address, headers and names are read from the variables that OpenTelemetry names for them. */
export function startTracing(): Tracing {
  const resource = Resource.default().merge(new Resource({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'weir-worker' }))
  const processor = new BatchSpanProcessor(new OTLPTraceExporter())
  const provider = new NodeTracerProvider({ resource, spanProcessors: [processor] })
  provider.register()
  const tracer = traces.getTracer('weir')
  return {
    trace: (name, attributes, work) =>
      tracer.startActiveSpan(name, { attributes }, async (span) => {
        try {
          return await work((more) => span.setAttributes(more))
        } catch (error) {
          // Its message may quote the vendor; the activity's own span has it, redacted.
          span.setStatus({ code: SpanStatusCode.ERROR, message: asFailure(error).reason })
          throw error
        } finally {
          span.end()
        }
      }),
    activity: (context) => ({
      inbound: new OpenTelemetryActivityInboundInterceptor(context),
      outbound: new OpenTelemetryActivityOutboundInterceptor(context),
    }),
    sinks: { exporter: makeWorkflowExporter(processor, resource) } as unknown as Tracing['sinks'],
    stop: () => provider.shutdown(),
  }
}
