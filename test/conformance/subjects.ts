import type { Call, Connector } from '../../connectors/connector';
import type { SimulatedVendor } from '../../connectors/simulator/types';
import { leadScore, leadscore } from '../../connectors/leadscore';
import { simulated as simulatedLeadscore } from '../../connectors/leadscore/simulator';
import { hubspot } from '../../connectors/hubspot';
import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { simulated as simulatedHubspot } from '../../connectors/hubspot/simulator';
import { marketo } from '../../connectors/marketo';
import { upsertLeads } from '../../connectors/marketo/operations/upsert-leads';
import { simulated as simulatedMarketo } from '../../connectors/marketo/simulator';
import { salesforce } from '../../connectors/salesforce';
import { upsertContacts as upsertSalesforceContacts } from '../../connectors/salesforce/operations/contacts';
import { simulated as simulatedSalesforce } from '../../connectors/salesforce/simulator';
import type { Operation } from '../../connectors/connector';

/** A connector and its simulator: every rule of the suite is checked against it. */
export interface Subject {
  connector: Connector;
  simulated: SimulatedVendor;
  credentials: Record<string, string>;
  /** One good request, whatever the connector offers. */
  once(call: Call): Promise<unknown>;
  operations: OperationSubject[];
}

/** A write operation, with inputs of its own. */
export interface OperationSubject {
  operation: Operation<unknown>;
  /** The nth good input; keys differ. */
  input(n: number): unknown;
}

function operation<I>(subject: { operation: Operation<I>; input: (n: number) => I }): OperationSubject {
  return { operation: subject.operation, input: subject.input };
}

/** Every connector in the repository. A new one adds itself here. */
export const subjects: Subject[] = [
  {
    connector: hubspot,
    simulated: simulatedHubspot,
    credentials: { token: 'pat-na1-conformance-0123456789abcdef' },
    once: (call) => upsertContacts.send(call, [{ email: 'once@example.com', properties: { firstname: 'Ada' } }]),
    operations: [operation({ operation: upsertContacts, input: (n) => ({ email: `Person.${n}@Example.com`, properties: { firstname: `Ada${n}` } }) })],
  },
  {
    connector: leadscore,
    simulated: simulatedLeadscore,
    credentials: { apiKey: 'conformance-key-0123456789abcdef' },
    once: (call) => leadScore.fetch(call, { customerId: 'customer-1' }),
    operations: [],
  },
  {
    connector: salesforce,
    simulated: simulatedSalesforce,
    credentials: { token: '00D000000000001!conformance.0123456789abcdef' },
    once: (call) => upsertSalesforceContacts.send(call, [{ externalId: 'once', fields: { LastName: 'Lovelace' } }]),
    operations: [
      operation({
        operation: upsertSalesforceContacts,
        input: (n) => ({ externalId: `Shop-${n}`, fields: { LastName: `Lovelace ${n}`, HasOptedOutOfEmail: false, Title: null } }),
      }),
    ],
  },
  {
    connector: marketo,
    simulated: simulatedMarketo,
    credentials: { clientId: 'conformance-client-0123456789', clientSecret: 'conformance-secret-0123456789abcdef' },
    once: (call) => upsertLeads.send(call, [{ email: 'once@example.com', fields: { firstName: 'Ada' } }]),
    operations: [
      operation({ operation: upsertLeads, input: (n) => ({ email: `Person.${n}@Example.com`, fields: { firstName: `Ada${n}`, leadScore: n, title: null } }) }),
    ],
  },
];
