import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';

/** The form in which an identifier is compared; null = it is none. */
export type NormalForm = string | null;

/** Without spaces around it, lower case. Nothing is taken for an alias: a dot or a plus makes another address. */
export function normalEmail(value: string): NormalForm {
  const email = value.trim().toLowerCase();
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email) ? email : null;
}

/**
 * An address as Google matches it: `normalEmail`, and in `gmail.com` and `googlemail.com` without the dots and the
 * plus-suffix of the local part (Data Manager API, "Format user data").
 */
export function googleEmail(value: string): NormalForm {
  const email = normalEmail(value);
  const at = email?.lastIndexOf('@') ?? -1;
  if (email === null || !['gmail.com', 'googlemail.com'].includes(email.slice(at + 1))) return email;
  const local = email.slice(0, at).replace(/\+.*$/, '').replaceAll('.', '');
  return local === '' ? null : `${local}${email.slice(at)}`;
}

/**
 * E.164, e.g. `+491512345678`. A number without a country code is read as one of `country` (ISO 3166-1 alpha-2); without a
 * country it is no identifier: guessing one would match a stranger.
 */
export function normalPhone(value: string, country?: string): NormalForm {
  const number = parsePhoneNumberFromString(value, country === undefined ? undefined : { defaultCountry: country.toUpperCase() as CountryCode });
  return number?.isValid() ? number.number : null;
}

/** A name as Google matches it: without spaces around it, lower case, and nothing else (Data Manager API, "Format user data"). */
export function googleName(value: string): NormalForm {
  const name = value.trim().toLowerCase();
  return name === '' ? null : name;
}

/** A name as Meta matches it: lower case, without punctuation, digits and spaces around it; letters of any script stay. */
export function normalName(value: string): NormalForm {
  const name = value
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M} ]/gu, '')
    .trim();
  return name === '' ? null : name;
}
