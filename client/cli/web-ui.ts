/** Page of a run in Temporal's Web UI; its address is `SYNCLINE_WEB_UI_URL`, by default the dev server's. */
export function webUi(env: Readonly<Record<string, string | undefined>>, namespace: string, workflowId: string, runId: string): string {
  const base = (env['SYNCLINE_WEB_UI_URL'] || 'http://localhost:8233').replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}/${encodeURIComponent(runId)}/history`;
}
