import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** A completed HTTP request. `route` is the pattern of the route, never the URL. */
export interface AnsweredRequest {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** The Prometheus metrics of the process. */
export interface Metrics {
  requestAnswered(request: AnsweredRequest): void;
  /** Counts LINE events that belong to no contact and are not recorded. */
  lineEventsIgnored(count: number): void;
  /** Sets how many enabled flows are skipped at present because their stored rows cannot be read. */
  flowsUnreadable(count: number): void;
  /** Returns all metrics in the Prometheus text format. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from the arrival of a request to the end of its response.",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const ignored = new Counter({
    name: "line_events_ignored_total",
    help: "LINE events of groups, rooms and the account itself, which belong to no contact and are not recorded.",
    registers,
  });
  const unreadable = new Gauge({
    name: "flows_unreadable",
    help: "Enabled flows that are skipped because their stored rows cannot be read, of the workspaces with recent commands.",
    registers,
  });
  return {
    requestAnswered: ({ seconds, ...labels }) => duration.observe({ ...labels }, seconds),
    lineEventsIgnored: (count) => ignored.inc(count),
    flowsUnreadable: (count) => unreadable.set(count),
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
