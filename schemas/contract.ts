import { z } from 'zod';

/**
 * The versioned, owned, documented shape of what a source sends.
 *
 * Events are validated against it inside the run (never at the door), so a violation is recorded, counted by field and
 * re-admitted by a replay after the fix.
 */
export interface Contract<T = unknown> {
  readonly kind: 'contract';
  /** Dotted name, e.g. `shop.customer`. Never renamed. */
  readonly name: string;
  /** Raised when the meaning of a field changes. */
  readonly version: number;
  /** The team that answers for it. */
  readonly owner: string;
  /** One sentence: what one value of it is. */
  readonly description: string;
  /** zod schema; every field carries `.meta({ description, examples })`. Unknown fields are ignored. */
  readonly schema: z.ZodType<T>;
}

/** Declares a contract. The type of the events is inferred from `schema`. */
export function defineContract<S extends z.ZodType>(
  contract: Omit<Contract, 'kind' | 'schema'> & { schema: S },
): Contract<z.output<S>> & { readonly schema: S } {
  return { kind: 'contract', ...contract } as Contract<z.output<S>> & { readonly schema: S };
}

/** `shop.customer@3`: how plans, logs and pages name a contract. */
export function contractRef(contract: Pick<Contract, 'name' | 'version'>): string {
  return `${contract.name}@${contract.version}`;
}

/** The contract as JSON Schema (draft 2020-12), for programs and for the generated page. */
export function contractJsonSchema(contract: Contract): Record<string, unknown> {
  return {
    $id: contractRef(contract),
    title: contract.name,
    description: contract.description,
    ...(z.toJSONSchema(contract.schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>),
  };
}

/** One broken rule of a contract. Carries no value from the event, so it may be logged. */
export interface Violation {
  /** Path of the field, e.g. `email` or `line_items.0.sku`; empty for the whole body. */
  field: string;
  /** What the contract wants, e.g. `string (e-mail)`. */
  expected: string;
  /** The type that was found, never the value: `number`, `missing`, `a string of another form`. */
  found: string;
}

/** Translates zod's issues to field, expected, found. `input` is only used to name the type that was found. */
export function violations(error: z.ZodError, input: unknown): Violation[] {
  return error.issues.map((issue) => ({
    field: issue.path.map(String).join('.'),
    expected: expectedOf(issue),
    found: foundAt(issue, typeAt(input, issue.path)),
  }));
}

function expectedOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected;
    case 'invalid_format':
      return `string (${issue.format})`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `${issue.origin} of at least ${String(issue.minimum)}`;
    case 'too_big':
      return `${issue.origin} of at most ${String(issue.maximum)}`;
    default:
      // Whoever reads it puts "expected" in front.
      return issue.code === 'custom' ? issue.message.replace(/^expected /, '') : issue.code.replaceAll('_', ' ');
  }
}

/** The type is told where it can be at fault: "expected string (email), found string" says nothing. */
function foundAt(issue: z.core.$ZodIssue, type: string): string {
  if (type === 'missing' || type === 'null') return type;
  switch (issue.code) {
    case 'invalid_format':
      return `a ${type} of another form`;
    case 'invalid_value':
      return issue.values.some((value) => typeof value === type) ? `another ${type}` : type;
    case 'too_small':
      return 'less';
    case 'too_big':
      return 'more';
    default:
      return type;
  }
}

function typeAt(input: unknown, path: readonly PropertyKey[]): string {
  let value: unknown = input;
  for (const key of path) {
    if (value === null || typeof value !== 'object' || !(key in value)) return 'missing';
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return value === undefined ? 'missing' : typeof value;
}
