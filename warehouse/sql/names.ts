/** A name of a table or column, with its schema or alias. */
const name = /[\p{L}_][\p{L}\p{N}_$]*(?:\.[\p{L}_][\p{L}\p{N}_$]*)*/gu;

/**
 * Names in an engine's words about a query: what is shaped like one. Only for messages about the query itself, which whoever
 * declared the sync wrote; an engine's words about a value can hold anybody's.
 */
export function namesIn(message: string): string[] {
  return [...new Set(message.match(name))];
}

/** The file, or the pattern of files, that an operator or a query named. */
export function filesIn(message: string): string[] {
  const pattern = /(?:match the pattern|Cannot open database) "([^"]+)"/.exec(message)?.[1];
  // In pieces too: where a wildcard stands, the text around it is a word of its own.
  return pattern === undefined ? [] : [pattern, ...pattern.split(/[^\p{L}\p{N}_\-.+/=~]+/u)];
}
