// Callbacks to inboxes: delivered without the network, by whichever of our names, under any policy;
// answered as the inbox was told, which is what the attempt then shows (S25, C10).

import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { inParallel, serve, studio, temporaryDirectory } from './client.mjs';
import { startServer } from '../support/server.mjs';
import { control } from './control.mjs';
import { receive } from './receiver.mjs';

/** A workspace in which no job moves but when it is told to. */
async function place(server, body = {}) {
    const made = await control(server).make({ members: ['*@acme.com'],
        settings: { queue_time: '1h' }, ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    const api = studio(server, { key: made.api_key, prefix });
    const at = {
        made, prefix, mock, api,
        /** Ends a new job whose callback goes there; resolves to its id. */
        async end(callback_url, fields = {}) {
            const { id } = await api.newJob({ callback_url, ...fields });
            await mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to: 'failed' } });
            return id;
        },
        /** The same, and what became of its delivery. */
        async deliver(callback_url, fields) {
            const job = await at.end(callback_url, fields);
            const { items: [{ id }] } = await mock.must(200, 'GET', `/webhooks?job=${job}&wait=30s`);
            return mock.must(200, 'GET', `/webhooks/${id}?status=ended&wait=30s`);
        },
        inbox: async (name, query = '') => (await mock.must(200, 'GET', `/inbox/${name}${query}`)).items,
        tell: (name, body) => mock.must(200, 'PUT', `/inbox/${name}/replies`, { body }),
    };
    return at;
}

/* -- what comes -------------------------------------------------------------------------------- */

test('S25: the message is the callback as it would have gone out, and the attempt shows the answer',
    async (t) => {
        const { api, deliver, inbox, tell } = await place(await serve(t), { clock: 'manual', seed: 3 });
        await tell('orders', [{ status: 202, headers: { 'X-Queue': 'q1' }, body: { taken: true } }]);
        const { id, job, status, attempts: [attempt] } = await deliver('http://inbox.test:8080/orders?a=b',
            { callback_headers: { Authorization: 'Bearer s3cret', 'x-Empty': '', 'user-agent': 'mine' } });
        const [message, ...more] = await inbox('orders');
        assert.deepEqual(more, []);
        const shown = await api.readJob(job);
        assert.deepEqual({ ...message, id: '' }, { id: '', number: 1, name: 'orders',
            received_at: '2024-03-01T10:00:00.000Z', method: 'POST',
            url: 'http://inbox.test:8080/orders?a=b',
            headers: { Host: 'inbox.test:8080', Authorization: 'Bearer s3cret', 'x-Empty': '',
                'user-agent': 'mine', 'Content-Type': 'application/json',
                'Content-Length': String(Buffer.byteLength(message.body)) },
            body: JSON.stringify(shown), body_base64: null, json: shown, webhook: id, job, reply: 202 });
        assert.deepEqual(Object.keys(message.headers), ['Host', 'Authorization', 'x-Empty', 'user-agent',
            'Content-Type', 'Content-Length']);
        assert.equal(status, 'delivered');
        assert.deepEqual([attempt.outcome, attempt.url, attempt.address, attempt.error],
            ['delivered', 'http://inbox.test:8080/orders?a=b', null, null]);
        assert.equal(attempt.request.body, message.body);
        assert.equal(attempt.response.status, 202);
        assert.equal(attempt.response.body, '{"taken":true}');
        assert.deepEqual(attempt.response.headers,
            { 'X-Queue': 'q1', 'Content-Type': 'application/json; charset=utf-8' });
    });

test('what goes over the network arrives with the same headers', async (t) => {
    const { deliver, inbox } = await place(await serve(t));
    const receiver = await receive(t);
    const fields = { callback_headers: { 'X-B': '1', 'x-a': '', Accept: 'text/plain' } };
    await deliver(receiver.url, fields);
    await deliver('http://inbox.test/a', fields);
    const [message] = await inbox('a');
    const pairs = Object.entries(message.headers).map(([name, value]) =>
        [name, name === 'Host' ? new URL(receiver.url).host : value]);
    assert.deepEqual(pairs, receiver.requests[0].raw);
});

test('an inbox is meant at any of our names, whatever the policy; the network is not asked', async (t) => {
    for (const policy of ['local', 'private', 'public', 'any']) {
        const server = await startServer({ args: ['--control', 'open', '--callback-policy', policy,
            '--allowed-host', 'mock.example.com', '--public-url', 'https://mock.example.net/base'] });
        t.after(() => server.kill());
        const { prefix, deliver, inbox } = await place(server);
        const { port } = server;
        const names = ['http://inbox.test/', 'https://INBOX.test:9/', `${server.url}/_mock/inbox/`,
            `http://localhost:${port}/_mock/inbox/`, `http://127.1:${port}${prefix}/_mock/inbox/`,
            `http://a.localhost:${port}${prefix}/_mock/inbox/`,
            `http://mock.example.com:${port}/_mock/inbox/`,
            `https://mock.example.net/base${prefix}/_mock/inbox/`];
        for (const [n, name] of names.entries()) {
            const { status, attempts } = await deliver(`${name}n${n}`);
            assert.equal(status, 'delivered', `${policy} ${name}: ${attempts[0]?.error}`);
            assert.equal(attempts[0].address, null);
            assert.equal((await inbox(`n${n}`)).length, 1, name);
        }
        await server.stop();
    }
});

test('callbacks go to inboxes of their own workspace alone', async (t) => {
    const server = await serve(t);
    const one = await place(server), two = await place(server);
    await one.deliver('http://inbox.test/a');
    const blocked = await one.deliver(`http://localhost:${server.port}${two.prefix}/_mock/inbox/a`);
    assert.deepEqual([blocked.status, blocked.attempts[0].outcome], ['blocked', 'blocked']);
    assert.match(blocked.attempts[0].error, /names an inbox of the workspace .* no option/);
    const unnamed = await one.deliver('http://inbox.test/a/b');
    assert.equal(unnamed.status, 'blocked');
    assert.match(unnamed.attempts[0].error, /one segment of 1 to 64/);
    assert.deepEqual([(await one.inbox('a')).length, (await two.inbox('a')).length], [1, 0]);
});

test('callback_map may lead to an inbox', async (t) => {
    const { mock, deliver, inbox } = await place(await serve(t));
    await mock.set({ callback_map: { '*': 'http://inbox.test/all' } });
    const { url, attempts: [attempt] } = await deliver('https://hooks.acme.test/built-in');
    assert.deepEqual([url, attempt.url], ['https://hooks.acme.test/built-in', 'http://inbox.test/all']);
    assert.deepEqual((await inbox('all')).map((message) => message.url), ['http://inbox.test/all']);
});

/* -- what is answered -------------------------------------------------------------------------- */

test('replies are what the receiver answers: 410, a redirect, a failure', async (t) => {
    const { deliver, tell } = await place(await serve(t));
    await tell('a', [{ status: 410 }, { status: 302, headers: { Location: '/b' } }, { status: 500 }]);
    assert.equal((await deliver('http://inbox.test/a')).status, 'gone');
    for (const error of [/302, and redirects are not followed/, /answered 500/]) {
        const { status, attempts: [attempt] } = await deliver('http://inbox.test/a');
        assert.equal(status, 'exhausted');
        assert.match(attempt.error, error);
    }
});

test('failures are tried again as the schedule and Retry-After say', async (t) => {
    const { mock, end, inbox, tell } = await place(await serve(t), { clock: 'manual' });
    await mock.set({ callback_retries: ['5s', '5s'] });
    await tell('a', [{ status: 500 }, { status: 503, headers: { 'Retry-After': '60' } }, { status: 200 }]);
    await end('http://inbox.test/a');
    await mock.must(200, 'GET', '/webhooks?status=retrying&wait=30s');
    await mock.must(200, 'POST', '/clock/advance', { body: { by: '5m' } });
    const messages = await inbox('a');
    assert.deepEqual(messages.map(({ reply }) => reply), [500, 503, 200]);
    const [first, ...more] = messages.map((message) => Date.parse(message.received_at) / 1000);
    assert.deepEqual(more.map((time) => time - first), [5, 65]);
});

test('C10: a delay is waited for, and a longer one than callback_timeout is no answer', async (t) => {
    const { mock, deliver, inbox, tell } = await place(await serve(t));
    await tell('a', [{ status: 200, delay: '700ms' }, { status: 200, delay: '5m' }]);
    const slow = await deliver('http://inbox.test/a');
    assert.equal(slow.status, 'delivered');
    const { sent_at: sent, duration } = slow.attempts[0];
    assert.ok(sent && (/^\d+s$/.test(duration) || Number.parseInt(duration, 10) >= 700), duration);
    await mock.set({ callback_timeout: '300ms' });
    const { status, attempts: [attempt] } = await deliver('http://inbox.test/a');
    assert.deepEqual([status, attempt.outcome, attempt.error, attempt.response],
        ['exhausted', 'failed', 'the receiver did not answer within 300ms', null]);
    assert.equal((await inbox('a')).length, 2);
});

test('a slow inbox holds up no other, of its own workspace or another\'s', async (t) => {
    const server = await serve(t);
    const one = await place(server), two = await place(server);
    await one.tell('slow', [{ status: 200, delay: '5m' }]);
    await inParallel(8, Array.from({ length: 40 }), () => one.end('http://inbox.test/slow'));
    assert.equal((await one.inbox('slow', '?min=8&wait=30s')).length, 8); // at once, and no more
    for (const at of [one, two]) {
        const { status } = await at.deliver('http://inbox.test/quick');
        assert.equal(status, 'delivered');
    }
    assert.equal((await two.deliver('http://inbox.test/slow')).status, 'delivered');
    assert.equal((await one.inbox('slow')).length, 8);
});

test('200 callbacks are each there once', async (t) => {
    const { end, inbox } = await place(await serve(t));
    const jobs = await inParallel(16, Array.from({ length: 200 }), () => end('http://inbox.test/a'));
    const messages = await inbox('a', '?min=200&wait=30s');
    assert.deepEqual(messages.map(({ job }) => job).sort(), jobs.sort());
    assert.deepEqual(messages.map(({ number }) => number), jobs.map((_, n) => n + 1));
});

test('a redelivery comes as another message of the same webhook', async (t) => {
    const { mock, deliver, inbox } = await place(await serve(t));
    const { id } = await deliver('http://inbox.test/a');
    await mock.must(200, 'POST', `/webhooks/${id}/redeliver`);
    const messages = await inbox('a');
    assert.deepEqual(messages.map(({ webhook }) => webhook), [id, id]);
    assert.equal(messages[0].body, messages[1].body);
});

/* -- clocks ------------------------------------------------------------------------------------ */

test('an advance answers when the inbox has it', async (t) => {
    const { mock, api, inbox } = await place(await serve(t), { clock: 'manual' });
    await mock.set({ queue_time: '1m', processing_time: '4m' });
    const { id } = await api.newJob({ callback_url: 'http://inbox.test/a' });
    await mock.must(200, 'POST', '/clock/advance', { body: { by: '5m' } });
    const [message] = await inbox('a', '?min=1');
    assert.deepEqual([message.job, message.json.status], [id, 'completed']);
    assert.equal(Date.parse(message.received_at), Date.parse((await mock.must(200, 'GET', '/clock')).now));
});

test('C9: under an auto clock, waiting on the inbox plays the job', async (t) => {
    const { mock, api, inbox } = await place(await serve(t), { clock: 'auto' });
    await mock.set({ queue_time: '10m', processing_time: '1h' });
    const begun = Date.now();
    const { id } = await api.newJob({ callback_url: 'http://inbox.test/a' });
    const [message] = await inbox('a', '?min=1&wait=1m');
    assert.ok(Date.now() - begun < 60_000, 'woken, and not by the end of its time');
    assert.deepEqual([message.job, message.json.status], [id, 'completed']);
});

/* -- ends -------------------------------------------------------------------------------------- */

test('a reset takes away what is under way, and does not wait for a slow inbox', async (t) => {
    const { mock, end, inbox, tell, deliver } = await place(await serve(t));
    await tell('a', [{ status: 200, delay: '5m' }]);
    await end('http://inbox.test/a');
    await inbox('a', '?wait=30s');
    await mock.must(200, 'POST', '/reset', { body: {} });
    assert.deepEqual(await inbox('a'), []);
    assert.equal((await deliver('http://inbox.test/a')).status, 'delivered');
});

test('a stop gives up slow answers; the callback is made again at the next start', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    for (const stop of ['stop', 'kill']) {
        const first = await startServer({ args: ['--db', db] });
        t.after(() => first.kill());
        const { prefix, end, inbox, tell } = await place(first, { slug: stop });
        await tell('a', [{ status: 500, times: 1, delay: '5m' }]);
        const job = await end('http://inbox.test/a');
        await inbox('a', '?wait=30s');
        await first[stop]();
        const second = await startServer({ args: ['--db', db] });
        t.after(() => second.kill());
        const mock = control(second, { prefix });
        const { items } = await mock.must(200, 'GET', '/inbox/a?min=2&wait=30s');
        assert.deepEqual(items.map((message) => [message.job, message.reply]), [[job, 500], [job, 200]]);
        await second.stop();
    }
});
