/** What the simulator knows of a contact property. `readOnly`: HubSpot sets it. */
export interface KnownProperty {
  type: 'string' | 'number' | 'date' | 'enumeration' | 'readOnly';
  options?: readonly string[];
}

const stages = ['subscriber', 'lead', 'marketingqualifiedlead', 'salesqualifiedlead', 'opportunity', 'customer', 'evangelist', 'other'];
const statuses = ['NEW', 'OPEN', 'IN_PROGRESS', 'OPEN_DEAL', 'UNQUALIFIED', 'ATTEMPTED_TO_CONTACT', 'CONNECTED', 'BAD_TIMING'];

const named = (type: KnownProperty['type'], names: string): [string, KnownProperty][] => names.split(' ').map((name) => [name, { type }]);

// HubSpot's default contact properties (those one may write, and the read-only ones most often sent by mistake):
// knowledge.hubspot.com/properties/hubspots-default-contact-properties, from memory of 2026; a sandbox account adds its own
// through the simulator's `properties`.
/** Known by default. */
export const defaultProperties: ReadonlyMap<string, KnownProperty> = new Map([
  ...named(
    'string',
    'email firstname lastname phone mobilephone fax company website jobtitle salutation address city state zip country ' +
      'industry message degree field_of_study school seniority gender job_function marital_status military_status ' +
      'relationship_status work_email twitterhandle hs_language hs_timezone hs_persona hs_content_membership_notes ' +
      'hubspot_owner_id numemployees company_size hs_additional_emails hs_whatsapp_phone_number hs_linkedin_url ' +
      'hs_country_region_code hs_state_code hs_legal_basis hs_buying_role hs_role hs_sub_role',
  ),
  ...named('number', 'annualrevenue total_revenue hubspotscore hs_predictivecontactscore'),
  ...named('date', 'date_of_birth closedate start_date graduation_date'),
  ...named('readOnly', 'createdate lastmodifieddate hs_object_id hs_email_domain num_associated_deals hs_lifecyclestage_lead_date'),
  ['lifecyclestage', { type: 'enumeration', options: stages }],
  ['hs_lead_status', { type: 'enumeration', options: statuses }],
]);

/** One entry of HubSpot's validation list. */
export interface Invalid {
  isValid: false;
  message: string;
  error: string;
  name: string;
}

/** A property value as HubSpot stores it: text, null being empty. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);
}

/** What HubSpot would refuse of these properties, in its words. */
export function invalidProperties(properties: Readonly<Record<string, unknown>>, extra: readonly string[]): Invalid[] {
  const invalid: Invalid[] = [];
  const refuse = (name: string, error: string, message: string): void => void invalid.push({ isValid: false, message, error, name });
  for (const [name, raw] of Object.entries(properties)) {
    const known = defaultProperties.get(name) ?? (extra.includes(name) || extra.includes('*') ? { type: 'string' as const } : undefined);
    const value = textOf(raw);
    if (!known) refuse(name, 'PROPERTY_DOESNT_EXIST', `Property "${name}" does not exist`);
    else if (known.type === 'readOnly') refuse(name, 'READ_ONLY_VALUE', `"${name}" is a read only property; its value cannot be set.`);
    else if (value === '') continue;
    else if (name === 'email' && !validEmail(value)) refuse(name, 'INVALID_EMAIL', `Email address ${value} is invalid`);
    else if (known.type === 'number' && Number.isNaN(Number(value))) refuse(name, 'INVALID_INTEGER', `${value} was not a valid number.`);
    else if (known.type === 'date' && Number.isNaN(Date.parse(value)) && !/^\d+$/.test(value)) refuse(name, 'INVALID_DATE', `${value} was not a valid date.`);
    else if (known.options && !known.options.includes(value)) {
      refuse(name, 'INVALID_OPTION', `${value} was not one of the allowed options: [${known.options.join(', ')}]`);
    }
  }
  return invalid;
}

/** HubSpot's check is not published; this one wants a local part, a domain with a dot, and no spaces. */
export function validEmail(email: string): boolean {
  return email.length <= 254 && /^[^\s@,;:<>()[\]\\"]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/i.test(email);
}
