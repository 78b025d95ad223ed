import { hubspot } from '../connectors/hubspot';
import { leadscore } from '../connectors/leadscore';
import { shopify } from '../connectors/shopify/webhooks';
import { standardWebhooks } from '../connectors/standard-webhooks/webhooks';
import { stripe } from '../connectors/stripe/webhooks';
import { sourceAccount, vendorAccount } from './accounts-api';

/*
 * Every account the syncs use. Names are part of ids and of environment variables: never renamed.
 * Secrets never stand here: each account's come from SYNCLINE_<VENDOR>_<NAME>_<FIELD>, or …_FILE.
 */

/** SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET */
export const shop = sourceAccount(shopify, { name: 'shop' });
/** SYNCLINE_STRIPE_BILLING_WEBHOOK_SECRET */
export const billing = sourceAccount(stripe, { name: 'billing' });
/** SYNCLINE_STANDARD_WEBHOOKS_SITE_WEBHOOK_SECRET */
export const site = sourceAccount(standardWebhooks, { name: 'site' });

/** SYNCLINE_HUBSPOT_MAIN_TOKEN */
export const crm = vendorAccount(hubspot, { name: 'main', plan: 'professional' });
/** SYNCLINE_LEADSCORE_SCORING_API_KEY */
export const scoring = vendorAccount(leadscore, { name: 'scoring' });
