import { contractJsonSchema, contractRef, type Contract } from '../../../schemas/contract';
import { exitCodes, usageError } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { fieldRows } from '../contract-fields';
import { table } from '../output/table';

/** `syncline contracts [name]` */
export function contracts(context: CliContext, name: string | undefined, options: { jsonSchema?: boolean } = {}): Promise<Answer> {
  const all = declared(context);
  if (name === undefined) {
    if (options.jsonSchema)
      throw usageError('--json-schema needs a contract', { where: 'contracts', expected: all.map(({ contract }) => contract.name).join(', ') });
    return Promise.resolve(list(all));
  }
  const found = all.find(({ contract }) => contract.name === name || contractRef(contract) === name);
  if (!found) {
    throw usageError(`there is no contract "${name}"`, {
      where: 'contracts',
      expected: `one of ${all.map(({ contract }) => contractRef(contract)).join(', ')}`,
    });
  }
  return Promise.resolve(one(found.contract, found.syncs, options.jsonSchema === true));
}

interface Declared {
  contract: Contract;
  syncs: string[];
}

function declared(context: CliContext): Declared[] {
  const found = new Map<string, Declared>();
  for (const { contract, id } of [...context.syncs(), ...context.tableSyncs()]) {
    const ref = contractRef(contract);
    const known = found.get(ref) ?? { contract, syncs: [] };
    known.syncs.push(id);
    found.set(ref, known);
  }
  return [...found.values()].sort((a, b) => contractRef(a.contract).localeCompare(contractRef(b.contract)));
}

function list(all: readonly Declared[]): Answer {
  return {
    exitCode: exitCodes.ok,
    document: {
      contracts: all.map(({ contract, syncs }) => ({
        ref: contractRef(contract),
        name: contract.name,
        version: contract.version,
        owner: contract.owner,
        description: contract.description,
        syncs,
      })),
    },
    print: (terminal) => {
      if (all.length === 0) return terminal.line('No contract is in use: no sync is declared yet.');
      terminal.line(
        table(
          terminal,
          [{ head: 'contract' }, { head: 'owner' }, { head: 'syncs', shrink: 'end', min: 20 }, { head: 'description', shrink: 'end', min: 24 }],
          all.map(({ contract, syncs }) => [contractRef(contract), contract.owner, syncs.join(', '), contract.description]),
        ),
      );
      terminal.line();
      terminal.line(`${terminal.colours.dim('its fields:')} npx syncline contracts ${all[0]?.contract.name ?? ''}`);
    },
  };
}

function one(contract: Contract, syncs: readonly string[], jsonSchema: boolean): Answer {
  const schema = contractJsonSchema(contract);
  return {
    exitCode: exitCodes.ok,
    document: jsonSchema
      ? schema
      : { ref: contractRef(contract), owner: contract.owner, description: contract.description, syncs, fields: fieldRows(schema), schema },
    print: (terminal) => {
      if (jsonSchema) return terminal.line(JSON.stringify(schema, null, 2));
      const { colours } = terminal;
      terminal.line(`${colours.bold(contractRef(contract))}  ${contract.description}`);
      terminal.line(colours.dim(`owner ${contract.owner}; used by ${syncs.join(', ')}; fields not listed are ignored`));
      terminal.line();
      terminal.line(
        table(
          terminal,
          [
            { head: 'field' },
            { head: 'type', shrink: 'end', min: 12 },
            { head: '' },
            { head: 'description', shrink: 'end', min: 20 },
            { head: 'example', shrink: 'end', min: 10 },
          ],
          fieldRows(schema).map(({ field, type, required, description, example }) => [field, type, required ? 'required' : '', description, example]),
        ),
      );
    },
  };
}
