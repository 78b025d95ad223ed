/** What the caller knows of the text. */
export interface MaskOptions {
  /** Names of fields: shown even where they stand in quotes. */
  fields?: Iterable<string>;
  /** Values sent (names, cities, …): hidden wherever they stand, quoted or not. Shorter than three characters: left. */
  values?: Iterable<string>;
  /** Longest result, characters. @default 300 */
  max?: number;
}

const hidden = '***';

// Everything RFC 5322 allows in an unquoted local part, and letters and digits of any script.
const mailChar = String.raw`\p{L}\p{N}\p{M}.!#$%&'*+/=?^_\x60{|}~\-`;
const at = String.raw`(?:[@＠﹫]|%40|\\u0040|&#64;)`;
const mail = new RegExp(`(?<![${mailChar}])[${mailChar}]*?${at}(?:[${mailChar}]|${at})*`, 'gu');

/** Seven digits or more, with up to three separators between two of them. */
const phone = /\+?\(?\p{Nd}(?:[\s().\-/–]{0,3}\p{Nd}){6,}/gu;
const secret = /\b(?:bearer\s+|(?:pat|sk|pk|rk|shpss|shpat|whsec|xox[a-z])[-_])[\w.~+/=-]{6,}/giu;
const token = /[\p{L}\p{N}_\-.+/=~]{20,}/gu;
const code = /^[A-Z][A-Z_]*$/;
const snake = /^[a-z_]+$/;

const quoted = /"(?:\\.|[^"\\])*(?:"|$)|“[^”]*(?:”|$)|«[^»]*(?:»|$)|`[^`]*(?:`|$)|(?<![\p{L}\p{N}])'(?:[^']|'(?=\p{L}))*(?:'(?!\p{L})|$)/gu;
const fieldBefore = /(?:propert(?:y|ies)|fields?|columns?|attributes?|parameters?)(?:\s+(?:named?|called))?\s*[:=]?\s*\\*$/i;
const identifier = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/**
 * A vendor's words, safe for failure messages and logs: e-mail addresses, phone-like numbers, long tokens and quoted values
 * are replaced by `***`. Codes (`PROPERTY_DOESNT_EXIST`) and field names survive. A vendor can always word a value in a way
 * no pattern knows; so connectors prefer their own words for known codes and pass the `values` they sent.
 */
export function maskText(text: string, options: MaskOptions = {}): string {
  const keep = new Set(options.fields);
  let masked = bounded(text);
  for (const value of longestFirst(options.values)) {
    if (value.length > longValue) masked = cutAt(masked, value.slice(0, longValue));
    else masked = masked.replace(whole(value), (found) => (keep.has(found) ? found : hidden));
  }
  masked = masked.replace(quoted, (found, offset: number, all: string) => {
    const inner = found.replace(/^["“«`']|["”»`']$/g, '').replace(/\\+$/, '');
    const fieldName = identifier.test(inner) && fieldBefore.test(all.slice(Math.max(0, offset - 40), offset));
    const jsonKey = identifier.test(inner) && /^\s*:/.test(all.slice(offset + found.length, offset + found.length + 5));
    if (fieldName) keep.add(inner);
    if (fieldName || jsonKey || keep.has(inner) || code.test(inner)) return found;
    return `${found[0]}${hidden}${found[0] === '“' ? '”' : found[0] === '«' ? '»' : found[0]}`;
  });
  masked = masked
    .replace(mail, hidden)
    .replace(secret, hidden)
    .replace(token, (found) => (keep.has(found) || code.test(found) || snake.test(found) ? found : hidden))
    .replace(phone, (found) => (keep.has(found) ? found : hidden));
  const max = options.max ?? 300;
  return masked.length > max ? `${masked.slice(0, max - 1)}…` : masked;
}

/** Cut before masking, never inside a word: half an e-mail address would no longer look like one. */
function bounded(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ');
  return line.length <= 4000 ? line : `${line.slice(0, 4000).replace(/\S*$/u, '')}…`;
}

function longestFirst(values: Iterable<string> | undefined): string[] {
  return [...new Set(values)].filter((value) => value.trim().length >= 3).sort((a, b) => b.length - a.length);
}

/** Longer values make no pattern: where one begins, the text ends. Characters. */
const longValue = 200;

function cutAt(text: string, beginning: string): string {
  const at = text.toLowerCase().indexOf(beginning.toLowerCase());
  return at < 0 ? text : text.slice(0, at) + hidden;
}

function whole(value: string): RegExp {
  const escaped = value.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'giu');
}
