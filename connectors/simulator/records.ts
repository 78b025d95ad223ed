/** One write a record has seen. */
export interface SimWrite {
  /** ISO 8601. */
  at: string;
  requestId: string;
  properties: Record<string, string>;
}

/** A record at the simulated vendor. */
export interface SimRecord {
  collection: string;
  id: string;
  key: string;
  properties: Record<string, string>;
  createdAt: string;
  updatedAt: string;
  /** Number of writes. */
  version: number;
  /** Its last 100 writes. */
  history: SimWrite[];
}

/** How a write ended. */
export interface WriteResult {
  record: SimRecord;
  created: boolean;
  /** It existed and already had these values. */
  identical: boolean;
}

const historyMax = 100;

/** Everything a simulated vendor stores, in memory. */
export class SimRecords {
  private readonly byKey = new Map<string, SimRecord>();
  private readonly byId = new Map<string, SimRecord>();
  private nextId = 1;
  private sums = { writes: 0, created: 0, identical: 0, removed: 0 };

  /** Merges `properties` into the record. `keep: false` answers as if, and stores nothing. */
  write(collection: string, key: string, properties: Readonly<Record<string, string>>, by: { at: number; requestId: string; keep: boolean }): WriteResult {
    const at = new Date(by.at).toISOString();
    const old = this.byKey.get(`${collection}/${key}`);
    const identical = old !== undefined && Object.entries(properties).every(([name, value]) => (old.properties[name] ?? '') === value);
    const write = { at, requestId: by.requestId, properties: { ...properties } };
    const record: SimRecord = {
      collection,
      id: old?.id ?? String(100_000 + this.nextId),
      key,
      properties: { ...old?.properties, ...properties },
      createdAt: old?.createdAt ?? at,
      updatedAt: at,
      version: (old?.version ?? 0) + 1,
      history: [...(old?.history ?? []).slice(1 - historyMax), write],
    };
    if (by.keep) {
      if (!old) this.nextId += 1;
      this.byKey.set(`${collection}/${key}`, record);
      this.byId.set(`${collection}/${record.id}`, record);
      this.sums.writes += 1;
      if (!old) this.sums.created += 1;
      if (identical) this.sums.identical += 1;
    }
    return { record, created: !old, identical };
  }

  remove(collection: string, key: string): boolean {
    const old = this.byKey.get(`${collection}/${key}`);
    if (!old) return false;
    this.byKey.delete(`${collection}/${key}`);
    this.byId.delete(`${collection}/${old.id}`);
    this.sums.removed += 1;
    return true;
  }

  find(collection: string, key: string): SimRecord | undefined {
    return this.byKey.get(`${collection}/${key}`);
  }

  findById(collection: string, id: string): SimRecord | undefined {
    return this.byId.get(`${collection}/${id}`);
  }

  list(): SimRecord[] {
    return [...this.byKey.values()];
  }

  /** Records now; writes, creations, identical re-writes and removals ever. */
  counts(): { records: number; writes: number; created: number; identical: number; removed: number } {
    return { records: this.byKey.size, ...this.sums };
  }

  clear(): void {
    this.byKey.clear();
    this.byId.clear();
    this.sums = { writes: 0, created: 0, identical: 0, removed: 0 };
  }
}
