// Reports as shards of a test run have them, and servers that give them, for tests of the command
// that merges them.

import http from 'node:http';
import https from 'node:https';

import { afterwards } from './client.mjs';

const outcome = (id, status, count) => ({ id, operation: id.split(':')[0], status, basis: ['D'],
    summary: `About ${id}`, count });

/** A report's document; `counts` are of its outcomes, and anything of it may be replaced. */
export function reportOf(counts = {}, rest = {}) {
    const outcomes = [outcome('createScenarioJob:201', 201, 0), outcome('createScenarioJob:429', 429, 0),
        outcome('createScenarioJob:429:vendor', 429, 0), outcome('getScenarioJob:200', 200, 0)];
    for (const one of outcomes) one.count = counts[one.id] ?? 0;
    return {
        understudy: '0.1.0', version: 1, generated_at: '2026-01-02T03:04:05.678Z', runs: ['ci-42'], workspaces: 1,
        requests: { total: outcomes.reduce((sum, { count }) => sum + count, 0), unattributed: 0 },
        covered: { exercised: outcomes.filter(({ count }) => count).length, of: outcomes.length },
        outcomes, unlisted: [], findings: [],
        request_ids: { total: 0, repeated: 0, reused: 0, items: [], left_out: 0 },
        polling: { jobs: 0, polls: 0, after_end: 0, items: [], left_out: 0 },
        ...rest,
    };
}

export const FINDING = { id: 'misspelled_field', severity: 'warning', what: 'A field is nearly another',
    why: 'It is ignored', count: 2, examples: ['createScenarioJob: user_emial'] };

/**
 * A server that answers every request by `answer`: a document, {status, headers, body}, or what does
 * it itself. Resolves to {url, requests}, each {url, authorization}. `tls` makes it https.
 */
export async function giveReport(t, answer, tls) {
    const requests = [];
    const act = (request, response) => {
        requests.push({ url: request.url, authorization: request.headers.authorization });
        if (typeof answer === 'function') {
            answer(request, response);
            return;
        }
        const { status = 200, headers = {}, body = JSON.stringify(answer) } = answer.understudy ? {} : answer;
        response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
        response.end(body);
    };
    const server = tls ? https.createServer(tls, act) : http.createServer(act);
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
    });
    afterwards(t, () => new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
    }));
    return { url: `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}`, requests };
}
