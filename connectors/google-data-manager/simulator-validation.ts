import { hashedKey } from '../identifiers/hashed-member';
import type { Violation } from './simulator-answers';

const maxMembers = 10_000;
const maxDestinations = 10;
const maxIdentifiers = 10;

/** What was asked, once it is known to be well-formed. */
export interface AskedFor {
  lists: string[];
  /** Members as keys, in the order sent. */
  keys: string[];
  identifiers: number;
  deniesConsent: boolean;
}

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {});
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const members = (body: unknown): Fields[] => listOf(fieldsOf(body)['audienceMembers']);
const identifiersOf = (member: Fields): Fields[] => listOf(fieldsOf(member['userData'])['userIdentifiers']);

/** All that is wrong with a request; nothing of it is taken then. */
export function violationsIn(body: unknown, method: 'ingest' | 'remove'): Violation[] {
  const found: Violation[] = [];
  const refuse = (field: string, reason: string, description: string): number => found.push({ field, reason, description });
  const { destinations, audienceMembers, encoding, termsOfService } = fieldsOf(body);
  const targets = listOf(destinations);
  if (targets.length === 0) refuse('destinations', 'REQUIRED_FIELD_MISSING', 'Required field is missing.');
  if (targets.length > maxDestinations) refuse('destinations', 'TOO_MANY_DESTINATIONS', 'Maximum number of destinations allowed per request is 10.');
  targets.forEach(({ operatingAccount, productDestinationId }, n) => {
    const { accountId, accountType } = fieldsOf(operatingAccount);
    if (!/^\d+$/.test(textOf(accountId))) refuse(`destinations[${n}].operating_account.account_id`, 'INVALID_NUMBER_FORMAT', 'String is not a valid number.');
    if (textOf(accountType) === '') refuse(`destinations[${n}].operating_account.account_type`, 'REQUIRED_FIELD_MISSING', 'Required field is missing.');
    if (!/^\d+$/.test(textOf(productDestinationId))) refuse(`destinations[${n}].product_destination_id`, 'INVALID_USER_LIST_ID', 'User list is not valid.');
  });
  if (encoding !== 'HEX') refuse('encoding', 'INVALID_ENUM_VALUE', 'Enum value cannot be used.');
  const terms = fieldsOf(termsOfService)['customerMatchTermsOfServiceStatus'];
  if (method === 'ingest' && terms !== 'ACCEPTED')
    refuse('terms_of_service.customer_match_terms_of_service_status', 'TERMS_AND_CONDITIONS_NOT_SIGNED', 'Required terms and conditions are not accepted.');
  const rows = members(body);
  if (!Array.isArray(audienceMembers) || rows.length === 0) refuse('audience_members', 'REQUIRED_FIELD_MISSING', 'Required field is missing.');
  if (rows.length > maxMembers) refuse('audience_members', 'TOO_MANY_AUDIENCE_MEMBERS', 'Maximum number of audience members allowed per request is 10,000.');
  rows.forEach((member, n) => memberViolations(identifiersOf(member), `audience_members.audience_members[${n}].user_data.user_identifiers`, refuse));
  return found;
}

function memberViolations(identifiers: Fields[], at: string, refuse: (field: string, reason: string, description: string) => void): void {
  if (identifiers.length === 0) refuse(at, 'NO_IDENTIFIERS_PROVIDED', 'No identifiers are provided.');
  if (identifiers.length > maxIdentifiers) refuse(at, 'TOO_MANY_USER_IDENTIFIERS', 'Maximum number of user identifiers allowed per audience member is 10.');
  identifiers.forEach((identifier, n) => {
    const address = 'address' in identifier ? fieldsOf(identifier['address']) : undefined;
    const hashes = address ? [address['givenName'], address['familyName']] : [identifier['emailAddress'] ?? identifier['phoneNumber']];
    for (const hash of hashes.map(textOf)) {
      if (hash === '') refuse(`${at}[${n}]`, 'REQUIRED_FIELD_MISSING', 'Required field is missing.');
      else if (!/^[0-9a-f]+$/i.test(hash) || hash.length % 2 === 1) refuse(`${at}[${n}]`, 'INVALID_HEX_ENCODING', 'The HEX encoded value is malformed.');
      else if (hash.length !== 64) refuse(`${at}[${n}]`, 'INVALID_SHA256_FORMAT', 'The SHA256 encoded value is malformed.');
    }
    if (!address) return;
    if (!/^[A-Z]{2}$/.test(textOf(address['regionCode']))) refuse(`${at}[${n}].address.region_code`, 'INVALID_COUNTRY_CODE', 'Country code is not valid.');
    if (textOf(address['postalCode']) === '') refuse(`${at}[${n}].address.postal_code`, 'INVALID_POSTAL_CODE', 'Postal code is not valid.');
  });
}

/** Members by the key a connector gives them; '' for one that is not well-formed. */
export function keysIn(body: unknown): string[] {
  return members(body).map((member) => {
    const identifiers = identifiersOf(member);
    const named = (name: string): string[] => identifiers.map((one) => textOf(one[name]).toLowerCase()).filter((hash) => hash !== '');
    const address = fieldsOf(identifiers.find((one) => 'address' in one)?.['address']);
    const parts = { f: address['givenName'], l: address['familyName'], c: address['regionCode'], z: address['postalCode'] };
    const given = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
    try {
      return hashedKey({ e: named('emailAddress'), p: named('phoneNumber'), ...given });
    } catch {
      return '';
    }
  });
}

/** A well-formed request. */
export function askedFor(body: unknown): AskedFor {
  const { destinations, consent } = fieldsOf(body);
  return {
    lists: listOf(destinations).map(({ productDestinationId }) => textOf(productDestinationId)),
    keys: keysIn(body),
    identifiers: members(body).reduce((sum, member) => sum + identifiersOf(member).length, 0),
    deniesConsent: fieldsOf(consent)['adUserData'] === 'CONSENT_DENIED',
  };
}
