/** One field of a contract, as its page shows it. */
export interface FieldRow {
  /** Dotted path; `[]` stands for every element of a list. */
  field: string;
  type: string;
  required: boolean;
  description: string;
  example: string;
}

interface Schema {
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  description?: string;
  examples?: unknown[];
}

/** The fields of a JSON Schema as rows, nested ones after the field that holds them. */
export function fieldRows(schema: object, path = ''): FieldRow[] {
  const { properties = {}, required = [] } = inner(schema);
  return Object.entries(properties).flatMap(([name, property]) => {
    const field = path === '' ? name : `${path}.${name}`;
    const list = inner(property).items;
    return [
      {
        field,
        type: typeOf(property),
        required: required.includes(name),
        description: property.description ?? inner(property).description ?? '',
        example: exampleOf(property),
      },
      ...(list ? fieldRows(list, `${field}[]`) : fieldRows(property, field)),
    ];
  });
}

/** `T | null` is written as a choice; its fields are those of `T`. */
function inner(schema: Schema): Schema {
  const choices = (schema.anyOf ?? schema.oneOf ?? []).filter(({ type }) => type !== 'null');
  return choices.length === 1 && choices[0] ? choices[0] : schema;
}

function typeOf(schema: Schema): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map(typeOf))].join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any');
  if (type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'any'}`;
  return schema.format ? `${type} (${schema.format})` : type;
}

function exampleOf(schema: Schema): string {
  const example = (schema.examples ?? inner(schema).examples)?.[0];
  if (example === undefined) return '';
  return typeof example === 'string' ? example : JSON.stringify(example);
}
