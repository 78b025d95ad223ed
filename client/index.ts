/**
 * What a program of your own needs to send events into Syncline: a receiver for webhook handlers, adapters for frameworks,
 * and a starter for events that do not come as webhooks.
 */
export { createLedger } from '../ledger';
export { createCodec, dataConverter } from '../platform/codec';
export { loadConfig } from '../platform/config';
export { createLog } from '../platform/logging';
export { connectionOptions } from '../platform/temporal-connection';
export { nodeHandler, type NodeHandler, type NodeRequest } from './adapters/node';
export { webHandler } from './adapters/web';
export { createReceiver, defaultLimits, type Delivery, type Receiver, type ReceiverLimits, type ReceiverOptions } from './receive';
export type { Answer, AnswerBody, RefusalCode } from './receiver/answers';
export type { BodyReader } from './receiver/body';
export type { ReceiverMetrics } from './receiver/metrics';
export { routeOf, type Route } from './receiver/routes';
export { createWebhookSecrets } from './receiver/webhook-secrets';
export { createStarter, type Started, type Starter } from './start-sync';
