// GET /_mock/events: what happens in a workspace, as server-sent events: C9, C8.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';

import { startServer } from '../support/server.mjs';
import { afterwards, inParallel, request, scenarios, serve, studio, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { listen, parseEvents } from './listener.mjs';
import { receive } from './receiver.mjs';

const START = '2030-01-01T00:00:00.000Z';

/** A workspace whose clock stands, and somebody who listens to it. */
async function place(t, server, body = {}, options = {}) {
    const made = await control(server).make({ members: ['*@acme.com'],
        clock: { mode: 'manual', now: START },
        settings: { queue_time: '10s', processing_time: '20s' }, ...body });
    const prefix = `/w/${made.slug}`;
    return { made, prefix, mock: control(server, { prefix }),
        api: studio(server, { key: made.api_key, prefix }),
        heard: await listen(t, server, { prefix, ...options }) };
}

const of = (event, fields = {}) => (item) => item.event === event
    && Object.entries(fields).every(([name, value]) => item.data[name] === value);

test('C9: requests, transitions, moves of the clock and hits are heard, in their order', async (t) => {
    const { mock, api, heard } = await place(t, await serve(t));
    assert.equal(heard.head.headers['content-type'], 'text/event-stream');
    assert.equal(heard.head.headers['cache-control'], 'no-store');
    assert.ok(heard.head.headers['x-request-id']);
    const rule = await mock.must(201, 'POST', '/rules', { body: { label: 'seen',
        match: { operation: 'createScenarioJob' } } });
    const { id: job } = await api.newJob({}, { headers: { 'X-Request-Id': 'mine-1' } });
    const { data: asked } = await heard.next(of('request'));
    assert.deepEqual(Object.keys(asked), ['id', 'request_id', 'method', 'path', 'operation', 'status',
        'end', 'at', 'sent_at', 'duration', 'connection', 'key', 'job', 'rule']);
    assert.deepEqual({ ...asked, sent_at: 0, duration: 0, connection: 0, key: 0 }, {
        id: 2, request_id: 'mine-1', method: 'POST', path: '/rest/v1/scenario-studio/jobs',
        operation: 'createScenarioJob', status: 201, end: 'answered', at: START, sent_at: 0,
        duration: 0, connection: 0, key: 0, job, rule: null });
    await mock.must(200, 'POST', '/clock/advance', { body: { by: '1m' } });
    await heard.next(of('clock', { now: '2030-01-01T00:01:00.000Z' }));
    const transitions = heard.events.filter(of('transition')).map(({ data }) =>
        [data.job === job, data.from, data.to, data.at, data.cause, data.error]);
    assert.deepEqual(transitions, [
        [true, null, 'queued', START, 'request', null],
        [true, 'queued', 'processing', '2030-01-01T00:00:10.000Z', 'timer', null],
        [true, 'processing', 'completed', '2030-01-01T00:00:30.000Z', 'timer', null]]);
    assert.deepEqual(heard.events.filter(of('rule')).map(({ data }) => data),
        [{ rule: rule.id, label: 'seen', request: 1, job, at: START }]);
    const ids = heard.events.map(({ id }) => Number(id));
    assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
    assert.equal(new Set(ids).size, ids.length);
});

test('C9: an end that failed, one by hand and a cancel; a scenario and a page', async (t) => {
    const server = await serve(t);
    const { made, prefix, mock, api, heard } = await place(t, server);
    const [failed, cancelled] = [await api.newJob(), await api.newJob()];
    await mock.must(200, 'POST', `/jobs/${failed.id}/transition`,
        { body: { to: 'failed', error: { code: 'X_Y', message: 'z' } } });
    await api.cancelJob(cancelled.id);
    const ends = [await heard.next(of('transition', { to: 'failed' })),
        await heard.next(of('transition', { to: 'cancelled' }))];
    assert.deepEqual(ends.map(({ data }) => [data.job, data.from, data.cause, data.error]),
        [[failed.id, 'processing', 'control', 'X_Y'], [cancelled.id, 'queued', 'request', null]]);
    await scenarios(server, { project: made.project_id }).create({ name: 'n' });
    assert.equal((await heard.next(of('request', { operation: 'createScenario' }))).data.status, 201);
    await request(server, 'GET', `${prefix}/chat/caf%C3%A9?x=1`);
    const { data } = await heard.next(of('request', { operation: 'openChat' }));
    assert.deepEqual([data.path, data.status, data.job], ['/chat/caf%C3%A9', 404, null]);
});

/** The attempts at the callback of a job that is ended by hand, as they are heard. */
async function attempts({ mock, api, heard }, callback_url, count) {
    const { id: job } = await api.newJob({ callback_url });
    await mock.must(200, 'POST', `/jobs/${job}/transition`, { body: { to: 'completed' } });
    const all = [];
    while (all.length < count) {
        all.push((await heard.next(of('attempt', { job }))).data);
        await mock.must(200, 'POST', '/clock/advance', { body: { by: '10s' } });
    }
    const [{ id }] = (await mock.must(200, 'GET', `/webhooks?job=${job}`)).items;
    assert.ok(all.every(({ delivery }) => delivery === id));
    return all;
}

test('C9, S25: attempts at callbacks are heard, with what became of each', async (t) => {
    const here = await place(t, await serve(t), { settings: { queue_time: '10s',
        processing_time: '20s', callback_retries: ['5s'] } });
    const receiver = await receive(t, { answer: [500, 204, 410] });
    const all = [...await attempts(here, receiver.url, 2), ...await attempts(here, receiver.url, 1),
        ...await attempts(here, 'http://inbox.test/orders', 1),
        ...await attempts(here, 'http://169.254.169.254/', 1)];
    assert.deepEqual(Object.keys(all[0]), ['delivery', 'job', 'attempt', 'outcome', 'status', 'error',
        'at', 'sent_at', 'duration', 'delivery_status']);
    assert.deepEqual(all.map(({ attempt, outcome, status, delivery_status: after }) =>
        [attempt, outcome, status, after]), [[1, 'failed', 500, 'retrying'],
        [2, 'delivered', 204, 'delivered'], [1, 'gone', 410, 'gone'], [1, 'delivered', 200, 'delivered'],
        [1, 'blocked', null, 'blocked']]);
    assert.deepEqual([all[0].at, all[0].error, all[1].error, typeof all[4].error],
        [START, 'the receiver answered 500', null, 'string']);
    const ids = here.heard.events.map(({ id }) => Number(id));
    assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
});

test('S2, C9: each hears its own workspace alone', async (t) => {
    const server = await serve(t);
    const one = await place(t, server), other = await place(t, server);
    await one.api.newJob();
    await other.api.newJob();
    for (const { heard, made } of [one, other]) {
        await heard.next(of('request'));
        assert.equal(heard.events.filter(of('request')).length, 1, made.slug);
        assert.equal(heard.events[0].data.to, 'queued');
    }
});

test('C9: an answer that is lost on purpose is told, and keys are not, without a journal too', async (t) => {
    for (const journal of ['on', 'off']) {
        const server = await serve(t, { args: ['--journal', journal] });
        const { made, mock, api, heard, prefix } = await place(t, server);
        await mock.must(201, 'POST', '/rules', { body: { do: { drop: 'before' },
            match: { operation: 'getScenarioJob' } } });
        await assert.rejects(api.getJob('000000000000'));
        const { data } = await heard.next(of('request', { end: 'dropped' }));
        assert.deepEqual([data.status, data.job], [null, '000000000000']);
        assert.equal(data.id === null, journal === 'off');
        await request(server, 'GET', `${prefix}/chat/${made.api_key}`);
        const page = await heard.next(of('request', { operation: 'openChat' }));
        assert.ok(!page.data.path.includes(made.api_key), page.data.path);
    }
});

test('C9: who comes back hears what came meanwhile, once', async (t) => {
    const server = await serve(t);
    const { api, heard, prefix } = await place(t, server);
    const all = [];
    let at = heard;
    for (let i = 0; i < 4; i++) {
        await api.newJob();
        await at.next(of('request'));
        all.push(...at.events.map(({ id, data }) => [id, data.job]));
        const { lastId } = at;
        at.close();
        await api.newJob(); // nobody listens
        at = await listen(t, server, { prefix, headers: { 'Last-Event-ID': lastId } });
    }
    await at.next(of('request'));
    all.push(...at.events.map(({ id, data }) => [id, data.job]));
    assert.equal(all.length, 16); // a transition and a request each
    assert.equal(new Set(all.map(([id]) => id)).size, 16);
    assert.equal(new Set(all.map(([, job]) => job)).size, 8);
});

test('C9: what is not kept any more is said to be lost, and how much it was', async (t) => {
    const server = await serve(t);
    const { mock, heard, prefix } = await place(t, server);
    const begun = heard.lastId;
    heard.close();
    await inParallel(4, Array.from({ length: 1003 }), () => request(server, 'GET', `${prefix}/chat/x`));
    const late = await listen(t, server, { prefix, headers: { 'Last-Event-ID': begun } });
    const first = await late.next();
    assert.equal(first.event, 'lost');
    assert.equal(first.data.events, 3);
    await until(() => late.events.length === 1001, { what: 'the thousand that are kept' });
    assert.equal(Number(late.events[1].id), Number(begun) + 4);
    assert.equal(Number(late.lastId), Number(begun) + 1003);
    const foreign = await listen(t, server, { prefix, headers: { 'Last-Event-ID': '17' } });
    assert.equal((await foreign.next(of('lost'))).data.events, null);
    assertProblem(await mock.send('GET', '/events', { headers: { 'Last-Event-ID': 'x' } }), 422,
        'invalid_header', /Last-Event-ID/);
});

/** Reads nothing until it is told to; then resolves to all that came until the end. */
function lazy(t, server, path) {
    const socket = net.connect(server.port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    return { read: () => new Promise((resolve, reject) => {
        let text = '';
        socket.setEncoding('utf8');
        socket.on('data', (more) => {
            text += more;
            if (text.endsWith('\r\n0\r\n\r\n')) resolve(text);
        });
        socket.on('end', () => resolve(text));
        socket.on('error', reject);
    }) };
}

/** One that is lazy, in a workspace where so much happens that no connection's buffers hold it. */
async function flooded(t, server) {
    const prefix = `/w/${(await control(server).make()).slug}`;
    const slow = lazy(t, server, `${prefix}/_mock/events`);
    await until(async () => /^understudy_event_listeners 1$/m.test(
        (await request(server, 'GET', '/metrics')).text));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    await inParallel(4, Array.from({ length: 8000 }), (_, n) => request(server, 'GET',
        `${prefix}/chat/${n}${'x'.repeat(990)}`, { agent }));
    agent.destroy();
    return slow;
}

test('C9: a listener that reads too slowly is dropped, and the last event says so', async (t) => {
    const slow = await flooded(t, await serve(t));
    const text = await slow.read();
    const last = text.slice(text.lastIndexOf('event: '));
    assert.match(last, /^event: dropped\ndata: \{"detail":"This listener is [0-9]+ events behind/);
    assert.ok(text.endsWith('\r\n0\r\n\r\n'), 'the stream has its end');
});

test('H6: a listener that takes nothing does not hold up the stop', async (t) => {
    const server = await startServer();
    afterwards(t, () => server.kill());
    await flooded(t, server);
    const begun = Date.now();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.ok(Date.now() - begun < 5000, `${Date.now() - begun} ms`);
});

test('C9: a reset is heard; a deletion, and the server\'s stop, end the stream', async (t) => {
    const server = await startServer();
    afterwards(t, () => server.kill());
    const one = await place(t, server), other = await place(t, server);
    await one.api.newJob();
    await one.mock.must(200, 'POST', '/reset');
    await one.heard.next(of('reset'));
    await one.api.newJob();
    await one.heard.next(of('request'));
    await control(server).remove(one.made.slug);
    assert.deepEqual(Object.keys((await one.heard.next(of('deleted'))).data), ['at']);
    await one.heard.ended;
    assert.equal(one.heard.events.at(-1).event, 'deleted');
    assert.equal((await one.mock.send('GET', '/events')).status, 404);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    await other.heard.ended;
    assert.deepEqual(other.heard.events, [{ comment: undefined, event: 'stopping',
        data: { detail: 'The server stops' } }]);
});

test('C9: a workspace lives as long as somebody listens, whatever its ttl', async (t) => {
    const server = await serve(t);
    const { made, heard } = await place(t, server, { ttl: '3s' });
    const other = await control(server).make({ ttl: '3s' });
    const status = async ({ slug }) => (await control(server).send('GET', `/workspaces/${slug}`)).status;
    await until(async () => await status(other) === 404);
    assert.equal(await status(made), 200);
    heard.close(); // which is noticed within two seconds
    await until(async () => await status(made) === 404);
});

test('C9: that a listener has left is noticed, however it left, long before there is a comment', async (t) => {
    const server = await serve(t);
    const listeners = async () => Number(/^understudy_event_listeners (\d+)$/m.exec(
        (await request(server, 'GET', '/metrics')).text)[1]);
    for (const leave of [(socket) => socket.destroy(), (socket) => socket.resetAndDestroy(),
        (socket) => { socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', () => socket.destroy()); }]) {
        const socket = net.connect(server.port, '127.0.0.1');
        socket.write('GET /_mock/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await once(socket, 'data');
        assert.equal(await listeners(), 1);
        const begun = Date.now();
        leave(socket);
        await until(async () => await listeners() === 0, { timeout: 30_000 });
        assert.ok(Date.now() - begun < 10_000, `${leave}: ${Date.now() - begun} ms`);
    }
});

test('C9: after 15 seconds of silence comes a comment', async (t) => {
    const { heard } = await place(t, await serve(t));
    const begun = Date.now(), before = heard.comments;
    await until(() => heard.comments > before, { timeout: 60_000 });
    assert.ok(Date.now() - begun >= 14_000, `${Date.now() - begun} ms`);
    assert.deepEqual(heard.events, []);
});

test('C9: a thousand listeners hear it, and have no thread each', async (t) => {
    const server = await startServer();
    afterwards(t, () => server.kill());
    const threads = async () => Number(/^Threads:\s+([0-9]+)$/m.exec(
        await readFile(`/proc/${server.pid}/status`, 'utf8'))[1]);
    const { api, prefix, heard } = await place(t, server);
    const before = await threads();
    const all = await inParallel(50, Array.from({ length: 1000 }), () => listen(t, server, { prefix }));
    assert.equal(await threads(), before);
    await api.newJob();
    const { id } = await heard.next(of('request'));
    for (const one of all) assert.equal((await one.next(of('request'))).id, id);
    const begun = Date.now();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.ok(Date.now() - begun < 8000, `${Date.now() - begun} ms`);
    await Promise.all(all.map((one) => one.ended));
    assert.ok(all.every((one) => one.events.at(-1).event === 'stopping'));
});

test('C8: a page of another origin may not listen; HEAD has no stream', async (t) => {
    const server = await serve(t);
    const { mock, prefix } = await place(t, server);
    assertProblem(await mock.send('GET', '/events', { headers: { Origin: 'http://evil.example' } }),
        403, 'forbidden_origin');
    assertProblem(await mock.send('GET', '/events', { headers: { 'Sec-Fetch-Site': 'cross-site' } }),
        403, 'forbidden_origin');
    const own = { Origin: server.url, 'Sec-Fetch-Site': 'same-origin',
        Host: new URL(server.url).host };
    assert.ok(await listen(t, server, { prefix, headers: own }));
    const head = await request(server, 'HEAD', `${prefix}/_mock/events`);
    assert.equal(`${head.status} ${head.text} ${head.headers['content-type']}`,
        '200  text/event-stream');
});

test('the parser of these tests reads pieces as wholes', () => {
    const { items, rest } = parseEvents(': a\n\nid: 1\nevent: x\ndata: {"a":1}\n\nid: 2');
    assert.deepEqual([items[0].comment, items[1].data, rest], ['a', { a: 1 }, 'id: 2']);
});
