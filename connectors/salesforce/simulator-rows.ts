import type { RefusedRecord, SimRequest } from '../simulator/types';

/** What the simulated org knows of contacts; `config.properties` adds to it, `*` = anything. */
const standard = new Set(
  'FirstName LastName Salutation Email Phone MobilePhone Title Department Birthdate LeadSource Description MailingStreet MailingCity MailingState MailingPostalCode MailingCountry HasOptedOutOfEmail External_Id__c'.split(
    ' ',
  ),
);

/** One row, values as text; an empty text clears. */
export interface SimRow {
  externalId: string;
  fields: Record<string, string>;
}

/** Where rows go, and which of them a fault refuses. */
export interface SimTarget {
  object: string;
  externalIdField: string;
  refused: ReadonlyMap<string, RefusedRecord>;
  /** Keys this call or job has seen before. */
  seen: Set<string>;
}

/** An error as a collection shows it; Bulk API joins the same three into one cell. */
export interface RowError {
  statusCode: string;
  message: string;
  fields: string[];
}

/** Whether the org has such a field. */
export function isField(name: string, request: SimRequest): boolean {
  const { properties } = request.config;
  return standard.has(name) || properties.includes('*') || properties.includes(name);
}

/** Why there is no such object or external id field here; undefined = there is. */
export function targetProblem(object: string, externalIdField: string, request: SimRequest): string | undefined {
  if (object !== 'Contact') return 'The requested resource does not exist';
  if (!externalIdField.endsWith('__c') || !isField(externalIdField, request)) {
    return `Provided external ID field does not exist or is not accessible: ${externalIdField}`;
  }
  return undefined;
}

/** Writes one row, or says why not. External ids are told apart without case, as by default. */
export function writeRow(request: SimRequest, target: SimTarget, row: SimRow): { id: string; created: boolean } | RowError {
  const key = row.externalId.toLowerCase();
  const error = problem(request, target, key, row);
  target.seen.add(key);
  if (error) return error;
  const { record, created } = request.write(target.object, key, { ...row.fields, [target.externalIdField]: row.externalId });
  return { id: `003${record.id.padStart(15, '0')}`, created };
}

function problem(request: SimRequest, target: SimTarget, key: string, { externalId, fields }: SimRow): RowError | undefined {
  const told = target.refused.get(key);
  if (told) return { statusCode: told.code, message: told.message, fields: [] };
  if (key === '') return { statusCode: 'MISSING_ARGUMENT', message: `${target.externalIdField} not specified`, fields: [] };
  if (target.seen.has(key)) {
    return { statusCode: 'DUPLICATE_VALUE', message: `Duplicate external id specified: ${externalId}`, fields: [target.externalIdField] };
  }
  const unknown = Object.keys(fields).find((name) => !isField(name, request));
  if (unknown !== undefined)
    return { statusCode: 'INVALID_FIELD', message: `No such column '${unknown}' on sobject of type ${target.object}`, fields: [unknown] };
  const lastName = fields['LastName'] ?? request.find(target.object, key)?.properties['LastName'] ?? '';
  if (lastName === '') return { statusCode: 'REQUIRED_FIELD_MISSING', message: 'Required fields are missing: [LastName]', fields: ['LastName'] };
  const email = fields['Email'] ?? '';
  if (email !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(email)) {
    return { statusCode: 'INVALID_EMAIL_ADDRESS', message: `Email: invalid email address: ${email}`, fields: ['Email'] };
  }
  return undefined;
}
