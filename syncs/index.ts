import billingCustomerToCrm from './billing-customer-to-crm/sync';
import type { Sync } from './define-sync';
import type { TableSync } from './define-table-sync';
import shopCustomerToCrm from './shop-customer-to-crm/sync';
import shopOrderToCrm from './shop-order-to-crm/sync';
import signupToCrm from './signup-to-crm/sync';

/** Every declared sync, by id. A folder that is missing here fails the tests. */
export const syncs: readonly Sync[] = [billingCustomerToCrm, shopCustomerToCrm, shopOrderToCrm, signupToCrm];

/** Every declared table sync, by id. */
export const tableSyncs: readonly TableSync[] = [];
