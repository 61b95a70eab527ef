// Hostile JSON and text for the control plane: every operation that reads a body refuses what is broken, and what
// it takes comes back byte for byte.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { request } from './client.mjs';
import { control } from './control.mjs';
import { BROKEN, TEXTS, VALUES } from './hostile_json.mjs';

// Every operation with a body, but for inboxes, which take anything.
const OPERATIONS = [
    ['POST', '/workspaces'], ['PUT', '/workspaces/acme-corp'], ['PATCH', '/workspaces/acme-corp'], ['POST', '/keys'],
    ['PATCH', '/keys/k'], ['POST', '/members'], ['PATCH', '/settings'], ['PUT', '/state'], ['POST', '/reset'], ['PUT', '/clock'],
    ['POST', '/clock/advance'], ['POST', '/scenarios'], ['POST', '/jobs/x/transition'], ['POST', '/jobs/x/release'],
    ['POST', '/webhooks/x/redeliver'], ['POST', '/webhooks/x/release'], ['POST', '/wait'], ['POST', '/verify'], ['POST', '/rules'],
    ['PUT', '/inbox/i/replies'],
];
// A body is looked at after what the path names, and some need none.
const NOT_FOUND = /\/(keys\/k|jobs\/x|webhooks\/x)/;

let server, api;

async function send(method, path, body) {
    const answer = await request(server, method, `/_mock${path}`, { body });
    assert.ok(answer.status < 500, `${method} ${path}: ${answer.text}`);
    return answer;
}

describe('Hostile JSON and text for the control plane', () => {
    before(async () => {
        server = await startServer();
        api = control(server);
    });
    after(() => server.stop());

    for (const [method, path] of OPERATIONS)
        it(`C2: ${method} /_mock${path}: broken JSON is 400, and changes nothing`, async () => {
            const own = control(server, { prefix: '/w/acme-corp' });
            const { rules } = await own.must(200, 'GET', '/state');
            for (const [name, body] of Object.entries(BROKEN)) {
                const isEmpty = !body.toString().trim();
                const answer = await send(method, path, body);
                if (NOT_FOUND.test(path) && answer.status === 404) continue;
                if (isEmpty && answer.status !== 400) continue; // an optional body
                assert.ok([400, 422].includes(answer.status), `${name}: ${answer.status} ${answer.text}`);
                assert.equal(answer.headers['content-type'], 'application/problem+json', name);
            }
            assert.deepEqual((await own.must(200, 'GET', '/state')).rules, rules);
            assert.equal((await request(server, 'GET', '/healthz')).status, 200);
        });

    for (const [method, path] of OPERATIONS)
        it(`C2: ${method} /_mock${path}: values of every kind, on top and in fields, are answered with no 5xx`, async () => {
            const fields = [
                'slug', 'name', 'match', 'do', 'times', 'mode', 'by', 'queue_time', 'members', 'workspace', 'until', 'status',
                'jobs', 'version', 'replies', 'api_key', 'email', 'seed', 'settings', 'clock', 'count', 'wait',
            ];
            for (const [i, value] of VALUES.entries()) {
                if (value !== '{}') await send(method, path, value);
                for (const field of fields.filter((_, j) => (i + j) % 4 === 0)) {
                    if (['/wait', '/clock/advance'].includes(path) && ['by', 'wait', 'until'].includes(field)) continue;
                    await send(method, path, `{"${field}":${value}}`);
                }
            }
        });

    it('C2: text of every kind comes back byte for byte from rules, replies and names', async () => {
        const own = control(server, { prefix: `/w/${(await api.make()).slug}` });
        for (const text of TEXTS.filter((one) => one.length < 5000)) {
            const rule = { match: { operation: 'listScenarios' }, do: { body: text, status: 400 } };
            const made = await own.send('POST', '/rules', { body: rule });
            if (made.status === 422) continue; // a name, or a text, that no answer may have
            assert.equal(made.status, 201, made.text);
            assert.equal(made.body.do.body, text);
            assert.equal((await own.must(200, 'GET', `/rules/${made.body.id}`)).do.body, text);
            await own.must(204, 'DELETE', `/rules/${made.body.id}`);
            const source = await own.send('POST', '/scenarios', { body: { name: text } });
            if (source.status === 201) assert.equal(source.body.name, text);
        }
    });
});
