import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { contractJsonSchema, contractRef, type Contract } from '../../schemas/contract';
import { syncs, tableSyncs } from '../../syncs';

const root = path.resolve(__dirname, '../..');

test('every sync folder is listed once, under its own name', () => {
  const folders = readdirSync(path.join(root, 'syncs'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect([...syncs, ...tableSyncs].map((sync) => sync.id).sort()).toEqual(folders.map((entry) => entry.name).sort());
});

test.each(['syncs', 'connectors'])('every folder in %s/ has a README of at most 40 lines', async (parent) => {
  const { readFileSync } = await import('node:fs');
  const machinery = ['simulator', 'identifiers'];
  for (const entry of readdirSync(path.join(root, parent), { withFileTypes: true })) {
    if (!entry.isDirectory() || machinery.includes(entry.name)) continue;
    const readme = path.join(root, parent, entry.name, 'README.md');
    expect({ readme: `${parent}/${entry.name}`, exists: existsSync(readme) }).toEqual({ readme: `${parent}/${entry.name}`, exists: true });
    expect(readFileSync(readme, 'utf8').split('\n').length).toBeLessThanOrEqual(41);
  }
});

test('shares of an account sum to at most 1', () => {
  const sums = new Map<string, number>();
  for (const { to, budget } of [...syncs, ...tableSyncs]) {
    const account = `${to.operation.connector.vendor}/${to.account.name}`;
    sums.set(account, (sums.get(account) ?? 0) + (budget.share ?? 0));
  }
  for (const [account, sum] of sums) expect({ account, ok: sum <= 1 }).toEqual({ account, ok: true });
});

describe('contracts', () => {
  const contracts = [...new Map([...syncs, ...tableSyncs].map((sync) => [contractRef(sync.contract), sync.contract])).values()];

  test.each(contracts.map((contract) => [contractRef(contract), contract] as const))('%s documents every field', (_name, contract) => {
    expect(undocumented(contract)).toEqual([]);
    expect(contract.owner).not.toBe('');
    expect(contractJsonSchema(contract)).toMatchObject({ $id: contractRef(contract), type: 'object' });
  });

  /** Paths of fields without description or example. */
  function undocumented(contract: Contract): string[] {
    const missing: string[] = [];
    const visit = (schema: { properties?: Record<string, object> } & Record<string, unknown>, at: string): void => {
      for (const [name, field] of Object.entries(schema.properties ?? {})) {
        const facts = field as Record<string, unknown>;
        if (!facts['description'] || !Array.isArray(facts['examples']) || facts['examples'].length === 0) missing.push(`${at}${name}`);
        visit(facts, `${at}${name}.`);
      }
    };
    visit(z.toJSONSchema(contract.schema, { unrepresentable: 'any' }) as Parameters<typeof visit>[0], '');
    return missing;
  }
});
