// Callbacks as they arrive: once for each end, exactly as asked for, whatever other receivers do.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';

import { attemptsIn, serveCallbacks } from './attempts.mjs';
import { DEFAULT_KEY, afterwards, inParallel, job, serve, studio, temporaryDirectory, until }
    from './client.mjs';
import { control } from './control.mjs';
import { receive } from './receiver.mjs';

const AT_ONCE = 8; // to a receiver

const own = (server, receiver, text) => [['Host', receiver.host], ['Content-Type', 'application/json'],
    ['User-Agent', `understudy/${server.version}`], ['Content-Length', String(Buffer.byteLength(text))]];

/** Holds every request until let go, and counts those that are open. */
function holding() {
    const open = new Set();
    const held = {
        open,
        most: 0,
        closed: 0,
        answer: (request, response) => {
            open.add(response);
            held.most = Math.max(held.most, open.size);
            response.on('close', () => {
                open.delete(response);
                held.closed += 1;
            });
        },
        letGo() {
            held.answer = undefined;
            for (const response of open) response.end('at last');
        },
    };
    return held;
}

test('S25: each end of a job is told once, as GET shows the job', async (t) => {
    const { server, api, attempts } = await serveCallbacks(t);
    const receiver = await receive(t);
    const completed = await api.newJob({ callback_url: receiver.url });
    const failed = await api.newJob({ prompt: '?!', callback_url: receiver.url });
    await receiver.came(2);
    await control(server).set({ processing_time: '1h' });
    const cancelled = await api.newJob({ callback_url: receiver.url });
    assert.equal((await api.cancelJob(cancelled.id)).status, 200);
    await api.newJob({ callback_url: receiver.url }); // does not end
    await attempts(3);
    assert.equal(receiver.requests.length, 3);
    for (const [id, status] of [[completed.id, 'completed'], [failed.id, 'failed'],
        [cancelled.id, 'cancelled']]) {
        const [request, ...more] = receiver.requests.filter(({ json }) => json.id === id);
        assert.deepEqual(more, []);
        assert.equal(request.method, 'POST');
        assert.equal(request.path, '/hook');
        assert.equal(request.json.status, status);
        assert.equal(request.text, (await api.getJob(id)).text);
        assert.deepEqual(request.raw, own(server, receiver, request.text));
    }
});

test('S25: callback_headers come as given, in their order, and in the place of ours', async (t) => {
    const { server, api } = await serveCallbacks(t);
    const receiver = await receive(t);
    const callback_headers = { 'x-lower': 'a', 'X-EMPTY': '', Authorization: 'Bearer webhook secret',
        'content-TYPE': 'text/x-mine', accept: '*/*', 'USER-agent': '', 'Accept-Encoding': 'gzip',
        Cookie: 'a=b; c', Range: 'bytes=0-', Referer: 'x' };
    await api.newJob({ callback_url: receiver.url, callback_headers });
    const [request] = await receiver.came(1);
    assert.deepEqual(request.raw, [['Host', receiver.host], ...Object.entries(callback_headers),
        ['Content-Length', String(request.body.length)]]);
    await api.newJob({ callback_url: receiver.url, callback_headers: { 'User-Agent': 'me' } });
    const [, second] = await receiver.came(2);
    assert.deepEqual(second.raw.filter(([name]) => name !== 'Content-Length'),
        [['Host', receiver.host], ['User-Agent', 'me'], ['Content-Type', 'application/json']]);
    assert.ok(server.version);
});

// The same numbers each time.
function numbers(seed) {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
}

const TOKEN = '!#$%&\'*+-.^_`|~09azAZxyzXYZ';
const VALUE = [...' !"#$%&\'()*,-./09:;<=>?@AZ[\\]^_`az{|}~ü你😀'];
const ODD = [['Host', 'x'], ['TE', 'x'], ['proxy-x', 'x'], ['Webhook-A', 'x'], ['a b', 'x'], ['', 'x'],
    ['Odd:', 'x'], ['ü', 'x'], ['Odd', 'x\n'], ['Odd', '\tx'], ['Odd', ' x'], ['Odd', 'x '],
    ['Odd', 'x\u0001'], ['Odd', '\u007f'], ['Odd', 5], ['Odd', null]];

function makeHeaders(below) {
    const text = (alphabet, length) => Array.from({ length }, () => alphabet[below(alphabet.length)]).join('');
    const names = new Set();
    const entries = Array.from({ length: below(6) }, () => [text(TOKEN, 1 + below(12)),
        text(VALUE, below(4) ? below(30) : 0).trim()]).filter(([name]) => {
        const isNew = !names.has(name.toLowerCase()) && !/^(te|proxy-.*)$/i.test(name);
        names.add(name.toLowerCase());
        return isNew;
    });
    if (below(4)) return { entries, right: true };
    entries.splice(below(entries.length + 1), 0, ODD[below(ODD.length)]);
    return { entries, right: false };
}

test('S6, S25: 10,000 sets of headers arrive exactly, or are refused', { timeout: 280_000 }, async (t) => {
    const { server } = await serveCallbacks(t);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    afterwards(t, async () => agent.destroy());
    const api = studio(server, { agent });
    const receiver = await receive(t);
    const below = numbers(20);
    const sets = Array.from({ length: 10_000 }, () => makeHeaders(below));
    await inParallel(16, sets, async ({ entries, right }, i) => {
        const members = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
        const body = `${JSON.stringify(job({ callback_url: `${receiver.url}/${i}` })).slice(0, -1)},`
            + `"callback_headers":{${members.join(',')}}}`;
        const answer = await api.createJob(body);
        assert.equal(answer.status, right ? 201 : 400, `${body} ${answer.text}`);
        if (!right) assert.equal(answer.body.error.code, 'invalid_callback_headers');
    });
    const good = sets.filter(({ right }) => right).length;
    await receiver.came(good, { timeout: 120_000 });
    assert.equal(receiver.requests.length, good);
    for (const request of receiver.requests) {
        const { entries } = sets[Number(request.path.split('/').at(-1))];
        const given = entries.map(([name, value]) => [name, Buffer.from(value).toString('latin1')]);
        assert.deepEqual(request.raw.slice(1, 1 + given.length), given, request.path);
        const names = given.map(([name]) => name.toLowerCase());
        assert.deepEqual(request.raw.slice(1 + given.length),
            own(server, receiver, request.text).slice(1)
                .filter(([name]) => !names.includes(name.toLowerCase())));
    }
});

test('a receiver gets 8 at once, and holds up no other', async (t) => {
    const { api, attempts } = await serveCallbacks(t);
    const held = holding();
    const slow = await receive(t, { answer: (...both) => held.answer?.(...both) ?? (held.answer ? undefined : 200) });
    const quick = await receive(t);
    await inParallel(4, Array.from({ length: 20 }), () => api.newJob({ callback_url: slow.url }));
    await until(() => held.open.size === AT_ONCE, { what: '8 open' });
    await inParallel(4, Array.from({ length: 30 }), () => api.newJob({ callback_url: quick.url }));
    await quick.came(30);
    await attempts(30);
    assert.equal(slow.requests.length, AT_ONCE);
    held.letGo();
    await slow.came(20);
    const rows = await attempts(50);
    assert.equal(held.most, AT_ONCE);
    assert.ok(rows.every(({ outcome }) => outcome === 'delivered'));
});

const ANSWERS = [
    ...[200, 201, 202, 204, 226, 299].map((status) => [status, 'delivered', null]),
    ...[300, 301, 302, 303, 307, 308].map((status) => [status, 'failed',
        `the receiver answered ${status}, and redirects are not followed`]),
    ...[400, 404, 429, 500, 503, 599].map((status) => [status, 'failed', `the receiver answered ${status}`]),
    [410, 'gone', 'the receiver answered 410: it wants no more of this'],
];

test('2xx is success, a redirect is not followed, 410 is the end of it', async (t) => {
    const { api, attempts } = await serveCallbacks(t);
    const canary = await receive(t);
    const receiver = await receive(t, { answer: ({ path: asked }) =>
        ({ status: Number(asked.slice(1)), headers: { Location: canary.url } }) });
    for (const [status] of ANSWERS)
        await api.newJob({ callback_url: `http://${receiver.host}/${status}` });
    const rows = await attempts(ANSWERS.length);
    for (const [status, outcome, error] of ANSWERS) {
        const row = rows.find(({ url }) => url.endsWith(`/${status}`));
        assert.deepEqual([row.status, row.outcome, row.error], [status, outcome, error]);
        assert.equal(row.address, receiver.host);
    }
    assert.deepEqual(canary.requests, []);
});

test('neither a proxy nor a .netrc of the environment is used', async (t) => {
    const canary = await receive(t);
    const home = await temporaryDirectory(t);
    await mkdir(path.join(home, '.config'));
    const netrc = 'default login jane password secret\nmachine 127.0.0.1 login jane password secret\n';
    await writeFile(path.join(home, '.netrc'), netrc, { mode: 0o600 });
    const proxy = `http://${canary.host}`;
    const env = { HOME: home, http_proxy: proxy, HTTP_PROXY: proxy, all_proxy: proxy, ALL_PROXY: proxy,
        https_proxy: proxy, HTTPS_PROXY: proxy, no_proxy: '', NO_PROXY: '' };
    const { api, server } = await serveCallbacks(t, { env });
    const receiver = await receive(t);
    await api.newJob({ callback_url: receiver.url });
    const [request] = await receiver.came(1);
    assert.deepEqual(request.raw, own(server, receiver, request.text));
    assert.deepEqual(canary.requests, []);
});

const ENDINGS = {
    'a reset': (mock) => mock.must(200, 'POST', '/reset'),
    'a state': async (mock) => mock.must(200, 'PUT', '/state', { body: {} }),
    'a deletion': (mock, name) => mock.remove(name),
};

for (const [name, end] of Object.entries(ENDINGS)) {
    test(`${name} gives up attempts under way, and those that wait are not made`, async (t) => {
        const { server, file } = await serveCallbacks(t);
        const held = holding();
        const receiver = await receive(t, { answer: held.answer });
        const workspace = await control(server).make({ name: 'Gone', members: ['*@acme.com'] });
        const mock = control(server, { headers: { Authorization: `Bearer ${workspace.api_key}` } });
        const api = studio(server, { key: workspace.api_key });
        const other = studio(server, { key: DEFAULT_KEY });
        for (let i = 0; i < AT_ONCE + 2; i += 1) await api.newJob({ callback_url: receiver.url });
        await until(() => held.open.size === AT_ONCE, { what: '8 open' });
        await end(mock, workspace.id);
        await until(() => held.closed === AT_ONCE, { what: '8 closed', timeout: 5000 });
        held.open.clear();
        await other.newJob({ callback_url: receiver.url }); // there is room, and nobody before it
        await receiver.came(AT_ONCE + 1);
        const bodies = receiver.requests.slice(AT_ONCE).map(({ json }) => json.scenario.url);
        assert.deepEqual(bodies.map((url) => url.includes('/w/')), [false]);
        assert.deepEqual(await attemptsIn(file), []);
        held.letGo();
    });
}

test('a server stops at once while receivers are silent, and asks them again at its start', async (t) => {
    const { api, server, file, args } = await serveCallbacks(t);
    const receiver = await receive(t, { answer: () => undefined });
    for (let i = 0; i < 20; i += 1) await api.newJob({ callback_url: receiver.url });
    await receiver.came(AT_ONCE);
    const begun = Date.now();
    await server.stop();
    assert.ok(Date.now() - begun < 5000, `${Date.now() - begun} ms`);
    assert.equal(receiver.requests.length, AT_ONCE);
    assert.deepEqual(await attemptsIn(file), []);
    receiver.answer = 200;
    await serve(t, { db: file, args });
    await receiver.came(AT_ONCE + 20);
    await until(async () => (await attemptsIn(file)).length === 20, { what: '20 attempts' });
    const ids = new Set(receiver.requests.slice(AT_ONCE).map(({ json }) => json.id));
    assert.equal(ids.size, 20);
});

test('a server that is killed during an attempt makes it again at its start', async (t) => {
    const { api, server, file, args } = await serveCallbacks(t, { dies: true });
    const receiver = await receive(t, { answer: () => undefined });
    const { id } = await api.newJob({ callback_url: receiver.url });
    await receiver.came(1);
    await server.kill();
    receiver.answer = 200;
    await serve(t, { db: file, args });
    const requests = await receiver.came(2);
    assert.deepEqual(requests.map(({ json }) => json.id), [id, id]);
    assert.equal(requests[0].text, requests[1].text);
});

test('what failed for good has a line in the log, which tells no secret', async (t) => {
    const { api, server, attempts } = await serveCallbacks(t, { args: ['--log-format', 'json'] });
    const receiver = await receive(t, { answer: 500 });
    await api.newJob({ callback_url: `http://localhost:${receiver.port}/secret-path?secret-query`,
        callback_headers: { 'X-Key': 'secret-value' } });
    const [{ address }] = await attempts(1);
    assert.match(address, /^127\.0\.0\.1:/);
    const line = await until(() => /.*not delivered.*/.exec(server.stderr)?.[0], { what: 'a line' });
    const { level, workspace, delivery, to, reason } = JSON.parse(line);
    assert.deepEqual([level, workspace, to, reason], ['warn', 'acme-corp',
        `http://localhost:${receiver.port}`, 'the receiver answered 500']);
    assert.match(delivery, /^[0-9a-f]{12}$/);
    assert.ok(!server.stderr.includes('secret'), server.stderr);
});

test('where few files may be open, few attempts are made at once, and all in their turn', async (t) => {
    const wrapper = path.join(await temporaryDirectory(t), 'few');
    await writeFile(wrapper, `#!/bin/sh\nulimit -n 160\nexec '${process.env.UNDERSTUDY_BIN}' "$@"\n`,
        { mode: 0o755 });
    const { api } = await serveCallbacks(t, { bin: wrapper, args: ['--threads', '1'] });
    const held = holding();
    const answer = (...both) => (held.answer ? held.answer(...both) : 200);
    const receivers = [await receive(t, { answer }), await receive(t, { answer })];
    for (let i = 0; i < 20; i += 1) await api.newJob({ callback_url: receivers[i % 2].url });
    const count = () => receivers[0].requests.length + receivers[1].requests.length;
    await until(() => count() >= 10, { what: 'some' });
    assert.ok(held.most < 2 * AT_ONCE, `${held.most}`);
    held.letGo();
    await until(() => count() === 20, { what: 'all' });
});
