import type { Bench } from '../bench';
export const ack: Bench = { name: 'ack', summary: '', options: {}, run: async () => [] };
