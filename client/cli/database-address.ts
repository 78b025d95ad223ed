/** Only host, port and database: user and password stay out of messages. */
export function databaseAddress(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'the address in SYNCLINE_DATABASE_URL';
  }
}
