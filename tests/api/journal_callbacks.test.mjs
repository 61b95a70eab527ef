// The journal beside callbacks and inboxes: what each keeps, and what is kept out of it: C1, C9, H7.

import assert from 'node:assert/strict';
import test from 'node:test';

import { request, serve, studio } from './client.mjs';
import { control } from './control.mjs';
import { receive } from './receiver.mjs';

async function place(server, body = {}) {
    const made = await control(server).make({ members: ['*@acme.com'],
        settings: { queue_time: '1h' }, ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    const api = studio(server, { key: made.api_key, prefix });
    return { made, prefix, mock, api,
        /** A job that has ended; resolves when its callback has, too. */
        async end(fields) {
            const { id } = await api.newJob(fields);
            await mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to: 'failed' } });
            const { items: [{ id: delivery }] } = await mock.must(200, 'GET', `/webhooks?job=${id}&wait=30s`);
            await mock.must(200, 'GET', `/webhooks/${delivery}?status=ended&wait=30s`);
            return id;
        },
        requests: async (query = '') => (await mock.must(200, 'GET', `/requests${query}`)) };
}

test('values of callback headers are kept out of the journal, and go out as they were', async (t) => {
    const { mock, api, end, requests } = await place(await serve(t));
    const receiver = await receive(t);
    const secret = 's3cret-é-value';
    await end({ callback_url: receiver.url, callback_headers: { Authorization: `Bearer ${secret}`,
        'X-Own': secret } });
    await api.createJob({ callbackHeaders: { 'X-Own': secret }, callback_url: receiver.url });
    const [came] = await receiver.came(1);
    assert.equal(Buffer.from(came.headers['x-own'], 'latin1').toString(), secret);
    const { items } = await requests('?operation=createScenarioJob');
    assert.deepEqual(items.map(({ body }) => JSON.parse(body)).map((body) =>
        body.callback_headers ?? body.callbackHeaders), [
        { Authorization: '(22 bytes)', 'X-Own': '(15 bytes)' }, { 'X-Own': '(15 bytes)' }]);
    for (const query of ['', '?format=har', `/${items[0].id}`])
        assert.ok(!(await mock.send('GET', `/requests${query}`)).text.includes('s3cret'), query);
});

test('what comes to an inbox is no request of the client, and is kept there alone', async (t) => {
    const { mock, api, end, requests } = await place(await serve(t));
    await end({ callback_url: 'http://inbox.test/a' });
    const before = await requests();
    for (let i = 0; i < 3; i++) await mock.must(200, 'POST', '/inbox/a', { body: { secret: 's3cret' } });
    await api.createJob({});
    const after = await requests();
    assert.deepEqual(after.items.map(({ operation }) => operation),
        ['createScenarioJob', 'createScenarioJob']);
    assert.equal(after.items[1].id - before.items[0].id, 2); // beside them the end by hand alone
    assert.ok(!JSON.stringify(after).includes('s3cret'));
    assert.equal((await mock.must(200, 'GET', '/inbox/a')).items.length, 4);
});

test('an inbox answers with the request\'s own X-Request-Id, whatever its replies say', async (t) => {
    const server = await serve(t);
    const { mock, prefix } = await place(server);
    await mock.must(200, 'PUT', '/inbox/a/replies', { body: [{ status: 503, delay: '20ms' },
        { status: 201, headers: { 'X-Own': 'yes' } }] });
    for (const [id, status] of [['mine-1', 503], ['mine-2', 201]]) {
        const { headers, ...answer } = await request(server, 'POST', `${prefix}/_mock/inbox/a`,
            { body: 'x', headers: { 'X-Request-Id': id } });
        assert.deepEqual([answer.status, headers['x-request-id']], [status, id]);
    }
    assert.equal((await mock.send('PUT', '/inbox/a/replies',
        { body: [{ status: 200, headers: { 'x-request-id': 'another' } }] })).status, 422);
    const own = await request(server, 'POST', `${prefix}/_mock/inbox/a`, { body: 'x' });
    assert.match(own.headers['x-request-id'], /^\S{8,}$/);
});

test('C9: the cursor of a list of requests is good for callbacks and inboxes, and theirs for it', async (t) => {
    const { mock, api, end, requests } = await place(await serve(t));
    await end({ callback_url: 'http://inbox.test/a' });
    const { cursor } = await requests();
    const paths = ['/webhooks', '/inbox/a', '/requests', '/jobs'];
    const since = async (given) => Promise.all(paths.map(async (path) =>
        (await mock.must(200, 'GET', `${path}?since=${given}`)).items.length));
    assert.deepEqual(await since(cursor), [0, 0, 0, 0]);
    await end({ callback_url: 'http://inbox.test/a' });
    assert.deepEqual(await since(cursor), [1, 1, 1, 1]);
    for (const path of paths) {
        const { cursor: there } = await mock.must(200, 'GET', path);
        assert.deepEqual(await since(there), [0, 0, 0, 0], path);
    }
    await api.createJob({});
    assert.deepEqual(await since('0.0'), [2, 2, 3, 2]); // as they were before there was a journal
});

test('C1: a reset forgets callbacks and requests alike, and both begin anew', async (t) => {
    const { mock, end, requests } = await place(await serve(t));
    const receiver = await receive(t);
    await end({ callback_url: receiver.url });
    await end({ callback_url: 'http://inbox.test/a' });
    await mock.must(200, 'POST', '/reset', { body: {} });
    for (const path of ['/webhooks', '/inbox/a', '/requests', '/jobs'])
        assert.deepEqual((await mock.must(200, 'GET', path)).items, [], path);
    const { evicted, complete } = await requests();
    assert.deepEqual([evicted, complete], [0, true]);
    await end({ callback_url: receiver.url });
    assert.equal((await receiver.came(2)).length, 2);
    assert.equal((await requests()).items.length, 1);
});
