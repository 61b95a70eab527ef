// format=har against HAR 1.2's own schema, for requests of every kind: with and without bodies, with
// bytes that are no text, answered, cut and dropped.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import Ajv from 'ajv';
import addFormats from 'ajv-formats';

import { startServer } from '../support/server.mjs';
import { request } from './http.mjs';
import { auth } from './verify.mjs';

const require = createRequire(import.meta.url);

/** har-schema's validator of a whole document; ajv wants ids without the fragment it gives them. */
function validator() {
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-06.json'));
    for (const schema of Object.values(require('har-schema'))) ajv.addSchema(schema);
    return ajv.getSchema('har.json') ?? ajv.getSchema('har.json#');
}

test('the schema refuses what is no HAR', () => {
    const validate = validator();
    assert.equal(validate({ log: { version: '1.2', entries: [] } }), false);
    assert.equal(validate({ log: { version: '1.2', creator: { name: 'x', version: '1' },
        entries: [{ startedDateTime: 'now' }] } }), false);
});

test('every kind of request makes a HAR that is valid', async (t) => {
    const server = await startServer();
    t.after(() => server.stop());
    const jobs = '/rest/v1/scenario-studio/jobs';
    const send = (method, path, body, headers = {}) =>
        request(server.url, method, path, { headers: { ...auth, ...headers }, body }).catch(() => {});
    const rule = (operation, act) => request(server.url, 'POST', '/_mock/rules', {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ match: { operation }, do: act, times: 1 }) });
    await send('POST', jobs, JSON.stringify({ user_email: 'jane@acme.com', prompt: 'Ein Gespräch' }),
        { 'Content-Type': 'application/json' });
    await send('POST', jobs, '{"a');
    await send('GET', `${jobs}/x?a=1&b&c=%20&=d&a=2&`);
    await send('GET', '/api/projects/p%C3%A4/scenarios?q=<"|>');
    await send('GET', '/chat/none');
    await send('HEAD', `${jobs}/x`);
    await send('PATCH', '/nowhere');
    await send('DELETE', '/api/projects/p/scenarios/x');
    await rule('listScenarios', { drop: 'before' });
    await send('GET', '/api/projects/p/scenarios');
    await rule('listScenarios', { truncate: 1 });
    await send('GET', '/api/projects/p/scenarios');
    const { json } = await request(server.url, 'GET', '/_mock/requests?format=har');
    const validate = validator();
    assert.ok(validate(json), JSON.stringify(validate.errors, null, 1));
    const { entries } = json.log;
    assert.equal(entries.length, 10);
    assert.deepEqual(entries[2].request.queryString, [{ name: 'a', value: '1' }, { name: 'b', value: '' },
        { name: 'c', value: '%20' }, { name: '', value: 'd' }, { name: 'a', value: '2' }]);
    for (const { request: { url } } of entries) assert.equal(new URL(url).href, url);
    const statuses = entries.map(({ response }) => response.status);
    assert.deepEqual(statuses, [201, 400, 404, 200, 404, 404, 404, 404, 0, 200]);
    assert.equal(JSON.parse(entries[0].response.content.text).status, 'queued');
    assert.match(entries[0].request.postData.text, /Gespräch/);
});
