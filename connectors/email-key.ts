/** An e-mail address in its normal form: vendors that identify people by it ignore case. */
export function emailKey(address: string): string {
  return address.trim().toLowerCase();
}
