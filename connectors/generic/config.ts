import { z } from 'zod';

const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, 'is not a header name')
  .transform((name) => name.toLowerCase());

const header = z.strictObject({ header: headerName });
const field = z.strictObject({
  field: z.string().regex(/^[^.]+(\.[^.]+)*$/, 'is not a path: expected names joined by dots, such as data.0.id'),
});
const constant = z.strictObject({ constant: z.string().min(1) });

/** A piece of the signed content: fixed text, or what stands in for `{name}`. */
export type TemplatePart = { text: string } | { name: string };

const PLACEHOLDER = /\{([^{}]*)\}/g;

const template = z.string().transform((text): TemplatePart[] => {
  // Splitting at a pattern with one group alternates text and name.
  return text
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 1 ? { name: part.toLowerCase() } : { text: part }))
    .filter((part) => !('text' in part && part.text === ''));
});

const shape = z.strictObject({
  /** Names the source; part of accounts and paths. */
  vendor: z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and dashes'),
  /** Header with the signature. */
  header: headerName,
  algorithm: z.enum(['sha256', 'sha1', 'sha512']),
  encoding: z.enum(['hex', 'base64']),
  /** What the header says before the signature, e.g. `sha256=`. @default '' */
  prefix: z.string().default(''),
  /** What is signed, e.g. `{timestamp}.{body}`. Also `{method}`, `{url}` (the full public one) and `{<header name>}`. */
  signed: template,
  /** Header with the time of signing; must be part of `signed`. */
  timestampHeader: headerName.optional(),
  /** Unit of that time: Unix seconds or milliseconds. */
  timestampUnit: z.enum(['s', 'ms']).optional(),
  /** How old, or how far ahead, that time may be, milliseconds. @default 300000 */
  toleranceMs: z.int().positive().optional(),
  /** What identifies an event over redeliveries. Hashed: it may hold personal data. */
  eventId: z.union([header, field], { error: 'expected { header } or { field }' }),
  topic: z.union([header, field, constant], { error: 'expected { header }, { field } or { constant }' }),
  /** The source's time of the change. Without it, arrival time stands in. */
  occurredAt: field.extend({ unit: z.enum(['s', 'ms', 'iso']) }).optional(),
});

/** Checks across fields. Each guards against a configuration that would verify less than it seems to. */
const config = shape.superRefine((value, context) => {
  const names = value.signed.flatMap((part) => ('name' in part ? [part.name] : []));
  const count = (name: string) => names.filter((other) => other === name).length;
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });

  if (value.signed.some((part) => 'text' in part && /[{}]/.test(part.text))) issue('signed', 'has a brace without its pair');
  if (count('body') !== 1) issue('signed', 'must contain {body} exactly once, else the body is not covered');
  for (const name of names) if (!headerName.safeParse(name).success) issue('signed', `{${name}} is not a header name`);
  if (names.includes(value.header)) issue('signed', 'names the signature header itself');
  if (value.timestampHeader === undefined) {
    if (names.includes('timestamp')) issue('timestampHeader', 'is missing, though `signed` contains {timestamp}');
    if (value.toleranceMs !== undefined) issue('toleranceMs', 'has no effect without timestampHeader');
    if (value.timestampUnit !== undefined) issue('timestampUnit', 'has no effect without timestampHeader');
  } else {
    if (!names.includes('timestamp')) issue('signed', 'must contain {timestamp}, else anyone can change timestampHeader');
    if (value.timestampUnit === undefined) issue('timestampUnit', 'is missing: s or ms');
  }
});

/** Configuration of a source as written. */
export type GenericHmacConfig = z.input<typeof shape>;
/** The same, parsed. */
export type GenericHmac = z.output<typeof config>;

/** Parses a configuration; the error lists every problem, in the words of the field concerned. */
export function parseGenericHmac(input: GenericHmacConfig): GenericHmac {
  const parsed = config.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'configuration'}: ${issue.message}`);
  throw new Error(`genericHmac: ${problems.join('; ')}`);
}
