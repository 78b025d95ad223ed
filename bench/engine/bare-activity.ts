import http from 'node:http';
import axios from 'axios';
import type { Customer } from './event';

/** The same call with the same body as recordSync's. */
export function upsertContact(baseUrl: string, token: string) {
  const client = axios.create({ baseURL: baseUrl, httpAgent: new http.Agent({ keepAlive: true }), headers: { authorization: `Bearer ${token}` } });
  return async ({ email, first_name: firstname, last_name: lastname, phone }: Customer): Promise<string> => {
    const inputs = [{ id: email, idProperty: 'email', objectWriteTraceId: '1', properties: { firstname, lastname, phone } }];
    const { data } = await client.post<{ results: { id: string }[] }>('/crm/v3/objects/contacts/batch/upsert', { inputs });
    return data.results[0]?.id ?? '';
  };
}
