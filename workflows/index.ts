/** The only `workflowsPath`: what this module exports is what workers can run. */
export { recordSync } from './record-sync';
export { vendorBudget } from './budget/vendor-budget';
export { tableSync } from './table-sync';
export { tableTick } from './table-tick';
