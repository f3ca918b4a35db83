import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";

/** One HTTP request that has been answered. `route` is the route's pattern, never the URL. */
export interface AnsweredRequest {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** What the process counts, for Prometheus. */
export interface Metrics {
  requestAnswered(request: AnsweredRequest): void;
  /** LINE events that belong to no contact and are not recorded. */
  lineEventsIgnored(count: number): void;
  /** All metrics in Prometheus' text format. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from the request's arrival to the end of its answer.",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const ignored = new Counter({
    name: "line_events_ignored_total",
    help: "LINE events of groups, rooms and the account itself, which belong to no contact and are not recorded.",
    registers,
  });
  return {
    requestAnswered: ({ seconds, ...labels }) => duration.observe({ ...labels }, seconds),
    lineEventsIgnored: (count) => ignored.inc(count),
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
