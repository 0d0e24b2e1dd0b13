// What `fairway node` counts, under the names kube-proxy gave to it, as Prometheus reads it.

const SYNC_BUCKETS = Array.from({ length: 15 }, (_, n) => 0.001 * 2 ** n);

class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #total = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#total++;
    for (const [i, bound] of this.#bounds.entries()) {
      if (value <= bound) this.#counts[i] = (this.#counts[i] ?? 0) + 1;
    }
  }

  lines(name: string): readonly string[] {
    return [
      `# TYPE ${name} histogram`,
      ...this.#bounds.map((bound, i) => `${name}_bucket{le="${bound}"} ${this.#counts[i]}`),
      `${name}_bucket{le="+Inf"} ${this.#total}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#total}`,
    ];
  }
}

export interface Sync {
  readonly kind: 'full' | 'partial';
  readonly seconds: number;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** Services whose policy is Local and that have no endpoint on this node. */
export interface NoLocalEndpoints {
  readonly internal: number;
  readonly external: number;
}

export class NodeMetrics {
  readonly #sync = new Histogram(SYNC_BUCKETS);
  readonly #full = new Histogram(SYNC_BUCKETS);
  readonly #partial = new Histogram(SYNC_BUCKETS);
  readonly #health = new Map<string, number>();
  readonly #failureName: string;
  #lastAt = 0;
  #queuedAt = 0;
  #failures = 0;
  #pending = 0;
  #changes = 0;
  #noLocal: NoLocalEndpoints = { internal: 0, external: 0 };

  constructor(mode: string) {
    this.#failureName =
      mode === 'nftables'
        ? 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total'
        : 'kubeproxy_sync_proxy_rules_iptables_restore_failures_total';
  }

  queued(atSeconds: number): void {
    this.#queuedAt = atSeconds;
    this.#pending++;
    this.#changes++;
  }

  synced({ kind, seconds, at }: Sync, noLocal: NoLocalEndpoints): void {
    this.#sync.observe(seconds);
    (kind === 'full' ? this.#full : this.#partial).observe(seconds);
    this.#lastAt = at;
    this.#pending = 0;
    this.#noLocal = noLocal;
  }

  failed(): void {
    this.#failures++;
  }

  asked(path: 'healthz' | 'livez', code: number): void {
    const key = `kubeproxy_proxy_${path}_total{code="${code}"}`;
    this.#health.set(key, (this.#health.get(key) ?? 0) + 1);
  }

  text(): string {
    const prefix = 'kubeproxy_sync';
    const gauge = (name: string, value: number): readonly string[] => [
      `# TYPE ${name} gauge`,
      `${name} ${value}`,
    ];
    const counter = (name: string, value: number): readonly string[] => [
      `# TYPE ${name} counter`,
      `${name} ${value}`,
    ];
    const noLocal = `${prefix}_proxy_rules_no_local_endpoints_total`;
    const lines = [
      ...this.#sync.lines(`${prefix}_proxy_rules_duration_seconds`),
      ...this.#full.lines(`${prefix}_full_proxy_rules_duration_seconds`),
      ...this.#partial.lines(`${prefix}_partial_proxy_rules_duration_seconds`),
      ...gauge(`${prefix}_proxy_rules_last_timestamp_seconds`, this.#lastAt),
      ...gauge(`${prefix}_proxy_rules_last_queued_timestamp_seconds`, this.#queuedAt),
      ...gauge(`${prefix}_proxy_rules_service_changes_pending`, this.#pending),
      ...counter(`${prefix}_proxy_rules_service_changes_total`, this.#changes),
      `# TYPE ${noLocal} gauge`,
      `${noLocal}{traffic_policy="internal"} ${this.#noLocal.internal}`,
      `${noLocal}{traffic_policy="external"} ${this.#noLocal.external}`,
      ...counter(this.#failureName, this.#failures),
      ...[...this.#health].map(([key, value]) => `${key} ${value}`).toSorted(),
    ];
    return `${lines.join('\n')}\n`;
  }
}
