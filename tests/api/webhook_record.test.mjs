// What is kept of callbacks, waiting for it, and another attempt now: S25, C5, C9.

import assert from 'node:assert/strict';
import test from 'node:test';

import { afterwards, inParallel, serve, studio, until } from './client.mjs';
import { startServer } from '../support/server.mjs';
import { assertProblem, control } from './control.mjs';
import { receive } from './receiver.mjs';

/** A workspace in which no job moves but when it is told to. */
async function place(server, body = {}) {
    const made = await control(server).make({ members: ['*@acme.com'],
        settings: { queue_time: '1h' }, ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    const api = studio(server, { key: made.api_key, prefix });
    return {
        made, mock, api, prefix,
        /** Ends a new job whose callback goes there; resolves to its delivery, as listed. */
        async owe(callback_url, fields = {}) {
            const { id } = await api.newJob({ callback_url, ...fields });
            await mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to: 'failed' } });
            const { items } = await mock.must(200, 'GET', `/webhooks?job=${id}&wait=30s`);
            assert.equal(items.length, 1);
            return items[0];
        },
        read: (id, query = '') => mock.must(200, 'GET', `/webhooks/${id}${query}`),
        ended: (id, query = '') =>
            mock.must(200, 'GET', `/webhooks/${id}?status=ended&wait=30s${query}`),
        list: async (query = '') => (await mock.must(200, 'GET', `/webhooks${query}`)).items,
        again: (id) => mock.send('POST', `/webhooks/${id}/redeliver`),
        release: (id) => mock.send('POST', `/webhooks/${id}/release`),
    };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const never = () => undefined;
const ids = (items) => items.map(({ id }) => id);

/** A state with one job, ended, and a delivery of each of these kinds. */
function stateOf(deliveries, callbackUrl) {
    const time = '2024-03-01T10:00:00.000Z';
    return {
        jobs: [{ id: '0123456789ab', status: 'cancelled', created_at: time, completed_at: time,
            base_url: 'http://localhost:3000', user_email: 'jane@acme.com', prompt: 'A call',
            callback_url: callbackUrl, callback_headers: {} }],
        deliveries: deliveries.map((fields, n) => ({ job: '0123456789ab', created_at: time,
            id: `d0000000000${n}`, ...fields })),
    };
}

async function put(at, deliveries, callbackUrl) {
    const document = await at.mock.must(200, 'GET', '/state');
    const answer = await at.mock.send('PUT', '/state',
        { body: { ...document, ...stateOf(deliveries, callbackUrl) } });
    assert.equal(answer.status, 200, answer.text);
}

/* -- one delivery ------------------------------------------------------------------------------ */

test('S25: an attempt shows what was sent, what came back, and when', async (t) => {
    const at = await place(await serve(t));
    const receiver = await receive(t, { answer: { status: 503, body: 'später',
        headers: { 'X-Reason': 'tired', 'Set-Cookie': ['a=1', 'b=2'], 'content-type': 'text/plain' } } });
    const headers = { Authorization: 'Bearer s3cret', 'x-Empty': '', 'user-agent': 'mine' };
    const before = Date.now();
    const listed = await at.owe(`${receiver.url}?token=x`, { callback_headers: headers });
    const { attempts: [attempt, ...more], ...whole } = await at.ended(listed.id);
    const [came] = receiver.requests;
    assert.deepEqual(more, []);
    assert.deepEqual(whole, { id: listed.id, job: listed.job, status: 'exhausted',
        url: `${receiver.url}?token=x`, message_id: listed.id, rule: null,
        created_at: listed.created_at, due_at: null, ended_at: whole.ended_at, attempt_count: 1,
        under_way: false });
    assert.match(whole.created_at, TIME);
    assert.match(whole.ended_at, TIME);
    assert.match(attempt.at, TIME);
    assert.match(attempt.duration, /^\d+(ms|s)$/);
    const sent = Date.parse(attempt.sent_at);
    assert.ok(sent >= before && sent <= came.at, attempt.sent_at);
    assert.deepEqual({ ...attempt, at: 0, sent_at: 0, duration: 0, request: 0, response: 0 },
        { number: 1, outcome: 'failed', by_hand: false, at: 0, sent_at: 0, duration: 0,
            url: `${receiver.url}?token=x`, address: receiver.host, request: 0, response: 0,
            error: 'the receiver answered 503' });
    assert.deepEqual(Object.entries(attempt.request.headers), [['Authorization', '(13 bytes)'],
        ['x-Empty', '(0 bytes)'], ['user-agent', '(4 bytes)'], ['Content-Type', 'application/json']]);
    assert.equal(attempt.request.method, 'POST');
    assert.equal(attempt.request.body, came.text);
    assert.equal(came.json.status, 'failed');
    const { Date: date, ...others } = attempt.response.headers;
    assert.ok(date);
    assert.equal(others['X-Reason'], 'tired');
    assert.equal(others['Set-Cookie'], 'a=1, b=2');
    assert.equal(others['content-type'], 'text/plain');
    assert.deepEqual([attempt.response.status, attempt.response.body, attempt.response.bytes],
        [503, 'später', 7]);
    const revealed = await at.read(listed.id, '?reveal=true');
    assert.deepEqual(revealed.attempts[0].request.headers,
        { ...headers, 'Content-Type': 'application/json' });
    assert.deepEqual(revealed.attempts[0].response, attempt.response);
    assert.deepEqual((await at.read(listed.id, '?reveal=false')).attempts, [attempt]);
});

test('S25: an answer that is no text, or long', async (t) => {
    const at = await place(await serve(t));
    const bytes = Buffer.from([0, 0xff, 0xfe, 10]);
    const binary = await receive(t, { answer: { body: bytes } });
    const [one] = (await at.ended((await at.owe(binary.url)).id)).attempts;
    assert.deepEqual([one.response.body, one.response.body_base64, one.response.bytes],
        [null, bytes.toString('base64'), 4]);
    assert.equal(one.request.body_base64, null);

    const long = await receive(t, { answer: { body: `x${'ä'.repeat(20_000)}` } });
    const [two] = (await at.ended((await at.owe(long.url)).id)).attempts;
    assert.equal(two.response.body, `x${'ä'.repeat(8191)}`); // 16 KiB would end within a letter
    assert.equal(two.response.bytes, 40_001);
    assert.equal(two.response.body_base64, null);
});

test('S25: no answer at all', async (t) => {
    const at = await place(await serve(t));
    const receiver = await receive(t);
    await receiver.close();
    const { attempts: [attempt], status } = await at.ended((await at.owe(receiver.url)).id);
    assert.equal(status, 'exhausted');
    assert.equal(attempt.response, null);
    assert.equal(attempt.error, `no connection to ${new URL(receiver.url).host}: Connection refused`);
    const [item] = await at.list();
    assert.deepEqual(item.last, { status: null, error: attempt.error });
});

/* -- the list ---------------------------------------------------------------------------------- */

test('C9: the list, and what it can be asked for', async (t) => {
    const at = await place(await serve(t));
    const good = await receive(t);
    const gone = await receive(t, { answer: 410 });
    const first = await at.owe(good.url);
    const second = await at.owe(gone.url.replace('127.0.0.1', 'LocalHost'));
    const third = await at.owe(`${good.url}/other`);
    for (const { id } of [first, second, third]) await at.ended(id);
    const all = await at.list();
    assert.deepEqual(ids(all), ids([first, second, third]));
    assert.deepEqual(Object.keys(all[0]), ['id', 'job', 'status', 'url', 'message_id', 'rule',
        'created_at', 'due_at', 'ended_at', 'attempt_count', 'under_way', 'last']);
    assert.deepEqual(all.map(({ status, last }) => [status, last]),
        [['delivered', { status: 200, error: null }],
            ['gone', { status: 410, error: all[1].last.error }],
            ['delivered', { status: 200, error: null }]]);
    const asked = [
        [`job=${second.job}`, [second]], ['job=000000000000', []],
        ['status=delivered', [first, third]], ['status=gone', [second]], ['status=held', []],
        ['host=127.0.0.1', [first, third]], [`host=127.0.0.1:${good.port}`, [first, third]],
        [`host=127.0.0.1:${gone.port}`, []], ['host=localhost', [second]],
        [`host=LOCALHOST:${gone.port}`, [second]], ['host=localhost:80', []], ['host=::1', []],
        ['host=[::1]:80', []], ['host=local', []],
        [`host=127.0.0.1&status=delivered&job=${third.job}`, [third]],
        ['limit=2', [first, second]], ['min=3', [first, second, third]],
    ];
    for (const [query, expected] of asked)
        assert.deepEqual(ids(await at.list(`?${query}`)), ids(expected), query);
    for (const host of ['a b', 'a/b', 'me@a', '', ':80', '[::1', 'a:port', 'a?b'])
        assertProblem(await at.mock.send('GET', `/webhooks?host=${encodeURIComponent(host)}`), 422,
            'invalid_parameter', /^host must be a /);
    assertProblem(await at.mock.send('GET', '/webhooks?status=deliverd'), 422, 'invalid_parameter',
        /^status must be a delivery's status$/, /"delivered"/);
});

test('C9: a cursor, of the list or of the workspace', async (t) => {
    const server = await serve(t);
    const at = await place(server);
    const elsewhere = await place(server);
    const receiver = await receive(t);
    const cursorOf = async () => (await control(server).read(at.made.slug)).cursor;
    const seen = [];
    for (let since = await cursorOf(), n = 0; n < 3; n += 1) {
        await elsewhere.owe(receiver.url);
        seen.push((await at.owe(receiver.url)).id);
        const part = await at.mock.must(200, 'GET', `/webhooks?since=${since}`);
        assert.deepEqual(ids(part.items), seen.slice(-1));
        since = n === 1 ? await cursorOf() : part.cursor;
    }
    let { items, cursor } = await at.mock.must(200, 'GET', '/webhooks?limit=2');
    assert.deepEqual(ids(items), seen.slice(0, 2));
    ({ items, cursor } = await at.mock.must(200, 'GET', `/webhooks?limit=2&since=${cursor}`));
    assert.deepEqual(ids(items), seen.slice(2));
    assert.deepEqual(await at.list(`?since=${cursor}`), []);
    for (const path of ['/jobs', '/rules', '/members', '/keys']) {
        const other = await at.mock.must(200, 'GET', path);
        assert.deepEqual(await at.list(`?since=${other.cursor}`), [], path);
    }
    assert.equal((await at.list('?since=5.5.0.0')).length, 3); // as cursors were
    await at.mock.must(200, 'POST', '/reset', { body: {} });
    const { id } = await at.owe(receiver.url);
    assert.deepEqual(ids(await at.list(`?since=${cursor}`)), [id]);
});

test('C9: deliveries that are waited for', async (t) => {
    const at = await place(await serve(t));
    let answer;
    const receiver = await receive(t, { answer: [500,
        () => new Promise((resolve) => { answer = () => resolve(200); })] });
    const any = at.list('?min=2&wait=60s');
    const failed = at.list('?status=exhausted&wait=60s');
    const here = at.list(`?host=${receiver.host}&min=2&wait=60s`);
    const one = await at.owe(receiver.url);
    const ended = await at.ended(one.id);
    const two = await at.owe(receiver.url);
    await receiver.came(2);
    const delivered = at.list('?status=delivered&wait=60s');
    await until(() => answer);
    await at.list();
    answer(); // from here on nothing happens but the attempt's end
    assert.deepEqual(ids(await any), ids([one, two]));
    assert.deepEqual(ids(await here), ids([one, two]));
    assert.deepEqual((await failed).map(({ id, status, ended_at: at }) => [id, status, at]),
        [[one.id, 'exhausted', ended.ended_at]]);
    assert.deepEqual(ids(await delivered), [two.id]);
    assertProblem(await at.mock.send('GET', '/webhooks?status=held&min=2&wait=10ms'), 409,
        'wait_expired', new RegExp('^0 of the 2 deliveries that were asked for are there; 2 others '
            + 'do not fit; the clock is real, nothing is due$'), /callback_url/);
    assertProblem(await at.mock.send('GET', `/webhooks?host=${receiver.host}&min=3`), 409, 'not_so',
        /^2 of the 3 deliveries that were asked for are there; 0 others do not fit/);
});

test('C5, C9: a delivery that is waited for', async (t) => {
    const at = await place(await serve(t), { clock: 'manual' });
    await put(at, [{ status: 'held' }, { status: 'retrying', due_at: '2099-01-01T00:00:00.000Z' },
        { status: 'exhausted' }], 'http://127.0.0.1:9/');
    const [held, retrying, exhausted] = await at.list();
    const ask = (id, query) => at.mock.send('GET', `/webhooks/${id}?${query}`);
    for (const [{ id }, query] of [[held, 'status=held'], [retrying, 'status=retrying&wait=1ms'],
        [exhausted, 'status=exhausted'], [exhausted, 'status=ended&wait=1ms']])
        assert.equal((await ask(id, query)).status, 200, query);
    const told = [
        [held, 'delivered', 'wait_expired', `The delivery is held: POST /_mock/webhooks/${held.id}/release`],
        [held, 'dropped', 'wait_impossible', `The delivery is held: POST /_mock/webhooks/${held.id}/release`],
        [retrying, 'ended', 'wait_expired', /^The delivery is retrying; the clock is manual, next event in .*: POST \/_mock\/clock\/advance$/],
        [retrying, 'pending', 'wait_impossible', /^The delivery is retrying; the clock/],
        [exhausted, 'delivered', 'wait_impossible', 'The delivery is exhausted since 2024-03-01T10:00:00.000Z'],
        [exhausted, 'retrying', 'wait_impossible', /since/],
    ];
    for (const [{ id }, status, name, detail] of told) {
        const answer = await ask(id, `status=${status}&wait=10ms`);
        assertProblem(answer, 409, name);
        if (typeof detail === 'string') assert.equal(answer.body.detail, detail);
        else assert.match(answer.body.detail, detail);
    }
    assertProblem(await ask(held.id, 'status=delivered'), 409, 'not_so');
    assertProblem(await ask(held.id, 'wait=5s'), 422, 'missing_parameter', /^wait needs status$/);
    assertProblem(await ask('000000000000', 'status=ended&wait=5m'), 404, 'webhook_not_found');
});

test('S2: a delivery of another workspace is not there', async (t) => {
    const server = await serve(t);
    const at = await place(server);
    const other = await place(server);
    const receiver = await receive(t);
    const { id } = await at.owe(receiver.url);
    await at.ended(id);
    for (const [method, path] of [['GET', ''], ['POST', '/redeliver'], ['POST', '/release']])
        assertProblem(await other.mock.send(method, `/webhooks/${id}${path}`), 404,
            'webhook_not_found', /^The workspace has no delivery of this id$/);
    assert.deepEqual(await other.list(), []);
    assert.equal(receiver.requests.length, 1);
});

/* -- another attempt --------------------------------------------------------------------------- */

test('S25: redeliver answers when its attempt has ended', async (t) => {
    const at = await place(await serve(t));
    const receiver = await receive(t, { answer: [500, 404, 200, 500] });
    const { id } = await at.owe(receiver.url, { callback_headers: { 'X-Token': 'abc' } });
    const first = await at.ended(id);
    const failed = await at.again(id);
    assert.equal(failed.status, 200, failed.text);
    assert.deepEqual({ ...failed.body, attempts: 0, attempt_count: 0 },
        { ...first, attempts: 0, attempt_count: 0 }); // as it was, but for the attempt
    assert.equal(failed.body.attempt_count, 2);
    const came = await at.again(id);
    assert.equal(came.body.status, 'delivered');
    assert.deepEqual(came.body.attempts.map((row) => [row.number, row.by_hand, row.outcome,
        row.response.status]), [[1, false, 'failed', 500], [2, true, 'failed', 404],
        [3, true, 'delivered', 200]]);
    assert.deepEqual(came.body.attempts.slice(0, 2), failed.body.attempts);
    assert.equal(came.body.attempts[2].request.headers['X-Token'], '(3 bytes)');
    assert.equal((await at.again(id)).body.status, 'delivered'); // once delivered, it stays so
    assert.deepEqual(await at.read(id), { ...(await at.read(id)), attempt_count: 4 });
    const bodies = new Set(receiver.requests.map(({ text }) => text));
    assert.deepEqual([bodies.size, receiver.requests.length], [1, 4]);
});

test('C5: one attempt at a time', async (t) => {
    const at = await place(await serve(t));
    const open = [];
    const receiver = await receive(t, { answer: [500,
        () => new Promise((resolve) => { open.push(() => resolve(200)); })] });
    const { id } = await at.owe(receiver.url);
    await at.ended(id);
    const again = at.again(id);
    await receiver.came(2);
    assert.equal((await at.read(id)).under_way, true);
    assert.equal((await at.list())[0].under_way, true);
    assertProblem(await at.again(id), 409, 'delivery_under_way', /is under way already$/, /wait=/);
    const delivered = at.mock.send('GET', `/webhooks/${id}?status=delivered&wait=60s`);
    assertProblem(await at.mock.send('GET', `/webhooks/${id}?status=delivered`), 409, 'not_so',
        /^The delivery is exhausted, and an attempt is under way; attempt 1: the receiver answered 500$/);
    await until(() => open.length);
    open[0]();
    assert.equal((await again).body.status, 'delivered');
    assert.equal((await delivered).body.status, 'delivered');
});

test('S25: held ones are released in any order', async (t) => {
    const at = await place(await serve(t));
    const receiver = await receive(t, { answer: ({ path }) => (path.endsWith('?no') ? 500 : 204) });
    const three = [{ status: 'held' }, { status: 'held' }, { status: 'held' }];
    await put(at, three, receiver.url);
    const held = await at.list();
    for (const place of [2, 0, 1]) {
        const answer = await at.release(held[place].id);
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual([answer.body.id, answer.body.status, answer.body.attempt_count],
            [held[place].id, 'delivered', 1]);
        assert.equal(answer.body.attempts[0].by_hand, false);
    }
    assertProblem(await at.release(held[0].id), 409, 'delivery_not_held',
        /^The delivery is delivered and is not held$/, /redeliver/);
    await put(at, three, `${receiver.url}?no`);
    assert.equal((await at.release(held[1].id)).body.status, 'exhausted');
    const [first] = await at.list();
    assert.equal((await at.again(first.id)).body.status, 'held'); // its failure leaves it as it was
    assert.equal(receiver.requests.length, 5);
});

test('C9: a reset, a deletion and the server\'s stop end the wait for an attempt', async (t) => {
    const server = await startServer();
    afterwards(t, () => server.stop());
    const silent = await receive(t, { answer: [500, never] });
    const cases = [
        [(at) => at.mock.must(200, 'POST', '/reset', { body: {} }), 409, 'workspace_reset'],
        [(at) => control(server).remove(at.made.slug), 409, 'workspace_deleted'],
        [() => server.stop(), 503, 'stopping'],
    ];
    for (const [end, status, name] of cases) {
        silent.requests.length = 0;
        const at = await place(server);
        const { id } = await at.owe(silent.url);
        await at.ended(id);
        const waiting = at.again(id);
        await silent.came(2);
        await Promise.all([end(at), waiting.then((answer) => assertProblem(answer, status, name))]);
    }
});

/* -- what is counted --------------------------------------------------------------------------- */

test('C1: a deleted workspace tells how many deliveries failed for good', async (t) => {
    const server = await serve(t);
    const at = await place(server);
    const statuses = ['held', 'delivered', 'exhausted', 'exhausted', 'gone', 'blocked', 'dropped'];
    await put(at, statuses.map((status) => ({ status })), 'http://127.0.0.1:9/');
    assert.deepEqual((await at.list()).map(({ status }) => status), statuses);
    const receiver = await receive(t, { answer: [200, 500, 410] });
    for (let n = 0; n < 3; n += 1) await at.ended((await at.owe(receiver.url)).id);
    assert.equal((await control(server).remove(at.made.slug)).failed_deliveries, 6);
});

test('S25: many at once', async (t) => {
    const at = await place(await serve(t));
    const receiver = await receive(t, { answer: [500, 200] });
    const made = await inParallel(16, Array.from({ length: 100 }), () => at.owe(receiver.url));
    const items = await at.list('?status=delivered&min=99&wait=60s');
    assert.equal(new Set(ids(items)).size, items.length);
    await receiver.came(100);
    const [failed] = await at.list('?status=exhausted&wait=60s');
    await inParallel(16, made, ({ id }) => (id === failed.id ? null : at.again(id)));
    assert.equal(receiver.requests.length, 199);
    assert.ok((await at.list()).every((item) => item.attempt_count === (item.id === failed.id ? 1 : 2)));
});
