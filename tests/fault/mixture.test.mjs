// A random mixture of all that is hostile, from many clients at once, beside good ones: no 5xx, no crash, and the
// good ones are answered. The sequence is a fixed one, so that a failure can be had again.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DEFAULT_KEY, DEFAULT_MEMBER, serve } from '../api/client.mjs';
import { CARRYING, CUT, HIDING, HOST, PLAIN, REFUSED, UNFINISHED } from '../api/framing.mjs';
import { Wire, ask, json, request } from '../api/wire.mjs';
import { times } from '../support/faults.mjs';

const COUNT = times(1000), AT_ONCE = 16;
const KEY = `Authorization: Bearer ${DEFAULT_KEY}`;
const JOBS = '/rest/v1/scenario-studio/jobs';
const HIDDEN = `GET /api/projects/hidden/scenarios HTTP/1.1\r\n${HOST}\r\n`;
const FRAMINGS = Object.entries({ ...REFUSED, ...CUT, ...UNFINISHED, ...HIDING(HIDDEN), ...CARRYING(HIDDEN),
    ...Object.fromEntries(Object.entries(PLAIN).map(([name, [, input]]) => [name, input])) });
// What libmicrohttpd answers by itself to a version, an encoding or a method that it does not know.
const OWN_5XX = [501, 505];

let state = 20240229;
const below = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
};
const pick = (list) => list[below(list.length)];

const TARGETS = [JOBS, '/rest/v1/scenario-studio', `${JOBS}/x`, '/api/projects/m/scenarios', '/api/projects/m/scenarios/x',
    '/_mock/rules', '/_mock/workspaces', '/_mock/settings', '/_mock/state', '/_mock/jobs', '/_mock/scenarios', '/_mock/verify',
    '/_mock/inbox/i', '/_mock/inbox/i/replies', '/_mock/requests?limit=x', '/_mock/timeline', '/_mock/keys', '/_mock/members',
    '/_mock/report', '/metrics', '/healthz', '/nowhere', '/w/acme-corp/_mock/rules', '/%zz', '/%00', `/${'a/'.repeat(300)}`];
const VALUES = ['null', '0', '-1', '1e400', '1e308', '9223372036854775808', 'true', '""', '"x"', '[]', '{}', '[[]]', '{"a":null}',
    '"\\u0000"', '"\\ud800"', '"\xff"', `${'['.repeat(3000)}${']'.repeat(3000)}`, `"${'a'.repeat(60_000)}"`, '"76h"', '"-1s"', 'NaN'];
const FIELDS = ['user_email', 'prompt', 'callback_url', 'callback_headers', 'name', 'messages', 'maxMessages', 'match', 'do', 'times',
    'slug', 'members', 'settings', 'queue_time', 'rate_limit', 'clock', 'version', 'jobs', 'replies', 'delay', 'status'];

function body() {
    const members = Array.from({ length: below(5) }, () => `"${pick(FIELDS)}":${pick(VALUES)}`);
    return pick([`{${members.join(',')}}`, pick(VALUES), '', `{${members.join(',')}`,
        JSON.stringify({ user_email: DEFAULT_MEMBER, prompt: 'p' }), JSON.stringify({ name: `n${below(1000)}` })]);
}

function message() {
    const method = pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'FOO']);
    const headers = [...below(3) ? [KEY] : [], ...below(3) ? [] : ['Content-Type: text/plain'],
        ...below(4) ? [] : ['Host: a', 'Origin: http://evil.example'], ...below(6) ? [] : ['Expect: 100-continue']];
    return request(method, pick(TARGETS), { headers, body: Buffer.from(body(), 'latin1') });
}

/** One client's doings; resolves to the statuses that it was told. */
async function provoke(server) {
    const wire = await Wire.open(server.port);
    const kind = below(10);
    const [name, input] = kind < 4 ? pick(FRAMINGS) : ['a message', message()];
    const bytes = Buffer.from(input, 'latin1');
    const cut = kind === 9 ? below(bytes.length + 1) : bytes.length;
    const what = `${name}: ${JSON.stringify(bytes.toString('latin1', 0, 300))}`;
    const next = below(2) ? '' : message();
    await wire.flush(bytes.subarray(0, cut), next);
    if (kind === 8) {
        wire.reset();
        return { what, statuses: [] };
    }
    const text = (await wire.end().closed()).toString('latin1');
    return { what, statuses: [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status)) };
}

test(`H6: of ${COUNT} hostile requests in a random mixture none is answered with a 5xx`, { timeout: 200_000 }, async (t) => {
    const server = await serve(t, {});
    let left = COUNT, good = 0;
    const counts = {};
    const client = async () => {
        while (left-- > 0) {
            const { what, statuses } = await provoke(server);
            for (const status of statuses) {
                counts[status] = (counts[status] ?? 0) + 1;
                assert.ok(status < 500 || OWN_5XX.includes(status), `${status} to ${what}`);
            }
        }
    };
    const goodClient = async () => {
        while (left > 0) {
            const answer = await ask(server.port, request('POST', `/w/good/api/projects/p/scenarios`, { body: `{"name":"g${good}"}` }));
            assert.equal(answer?.status, 201, `${answer?.body}`);
            assert.equal(json(answer).name, `g${good}`);
            good++;
        }
    };
    const made = await ask(server.port, request('POST', '/_mock/workspaces', { body: '{"slug":"good"}' }));
    assert.equal(made.status, 201);
    await Promise.all([...Array.from({ length: AT_ONCE }, client), goodClient()]);
    t.diagnostic(`${COUNT} hostile requests: ${Object.entries(counts).map(([status, n]) => `${status} ${n}×`).join(', ')}; ${
        good} good ones beside them were answered`);
    assert.ok(good > 0);
    assert.doesNotMatch(server.stderr, / error /);
    assert.equal((await ask(server.port, request('GET', '/healthz')))?.status, 200);
});
