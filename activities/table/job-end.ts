import type { JobState, RecordResult } from '../../connectors/connector';
import { endsOf, later, type CallEnd, type CallFacts } from './call-end';
import type { RowItem } from './items';

type Ended = Extract<JobState, { state: 'ended' }>;

/** The job is over: rows it names by what it says of them, the others by what is true of all of them. */
export function endsOfJob(members: readonly RowItem[], state: Ended, facts: CallFacts): CallEnd {
  const named = new Set(state.results.map(({ key }) => key));
  const unnamed = members.filter(({ key }) => !named.has(key));
  const call = endsOf(
    members.filter(({ key }) => named.has(key)),
    state.results,
    facts,
  );
  if (state.unnamed !== 'unattributed') {
    const said = unnamed.map(({ key }): RecordResult => ({ key, status: state.unnamed as 'accepted' | 'verified' }));
    call.ends.push(...endsOf(unnamed, said, facts).ends);
    return call;
  }
  // As many as were handed over: then each of them.
  const all = state.taken !== undefined && state.taken >= unnamed.length;
  for (const item of unnamed) {
    const sent = { n: item.row.n, attempts: item.attempts + 1, fingerprint: item.row.fingerprint, targetKey: item.key, vendorId: item.row.known?.vendorId };
    if (all) call.ends.push({ ...sent, outcome: 'verified' });
    else call.ends.push({ ...sent, outcome: 'unattributed', code: 'AGGREGATE', cause: aggregateWords(state, unnamed.length) });
  }
  return call;
}

function aggregateWords({ taken }: Ended, rows: number): string {
  const took = taken === undefined ? `does not say how many of ${rows} rows it took` : `took ${taken} of ${rows} rows`;
  return `the vendor ${took}, and not which`;
}

/** The job came to nothing. */
export function endsOfFailedJob(members: readonly RowItem[], state: Extract<JobState, { state: 'failed' }>, facts: CallFacts): CallEnd {
  const call: CallEnd = { ends: [], again: [] };
  for (const item of members) {
    if (state.retry) later(call, item, state, facts);
    else {
      const { code, cause } = state;
      call.ends.push({ n: item.row.n, attempts: item.attempts + 1, fingerprint: item.row.fingerprint, outcome: 'rejected', code, cause });
    }
  }
  return call;
}
