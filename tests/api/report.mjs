// What tests of reports share.

import { control } from './control.mjs';

/** Asks a server for its report; the query is '' or '?run=…'. Resolves to the document. */
export const reportOf = (server, query = '', options) =>
    control(server, options).must(200, 'GET', `/report${query}`);

/** The outcomes that were exercised: {id: count}. */
export const exercised = (report) => Object.fromEntries(report.outcomes
    .filter(({ count }) => count > 0).map(({ id, count }) => [id, count]));

export const findings = (report) => Object.fromEntries(report.findings
    .map(({ id, count }) => [id, count]));

/** A report without what two servers that did the same need not agree on: times, ids, orders. */
export function likeness({ generated_at: at, polling, request_ids: ids, findings: found, ...rest }) {
    const sorted = (items) => items.map((item) => JSON.stringify(item)).sort();
    return { ...rest,
        runs: [...rest.runs].sort(),
        unlisted: sorted(rest.unlisted),
        findings: found.map(({ examples, ...finding }) => finding),
        request_ids: { ...ids, items: sorted(ids.items) },
        polling: { ...polling,
            items: sorted(polling.items.map(({ job, shortest, ...item }) => item)) } };
}
