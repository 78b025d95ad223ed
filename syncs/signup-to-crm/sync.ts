import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { leadScore } from '../../connectors/leadscore';
import { signup } from '../../schemas/signup';
import { crm, scoring, site } from '../accounts';
import { defineSync, optional, to, webhook } from '../define-sync';

/** Sign-ups become contacts, with a lead score when the scoring service has one in time. */
export default defineSync({
  id: 'signup-to-crm',
  owner: 'growth',
  description: 'Sign-ups become contacts, with a lead score when the scoring service has one in time.',
  on: webhook(site, 'signup.completed'),
  contract: signup,
  to: to(upsertContacts, { account: crm }),
  enrich: optional(leadScore, {
    account: scoring,
    ask: (event: { data: { customer_id: string } }) => ({ customerId: event.data.customer_id }),
    fallback: null,
    timeout: '1s',
  }),
  map: ({ data }, score) => ({
    email: data.email,
    properties: {
      company: data.company ?? '',
      ...(score === null ? {} : { lead_score: String(score.score) }),
    },
  }),
  retry: { maxAttempts: 8, maxInterval: '10m' },
  budget: { share: 0.2, lane: 'live' },
});
