// The server's memory runs out: the Nth allocation from a request on fails, alone or with all that follow.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { job, serve, sql, studio, temporaryDirectory, until } from '../api/client.mjs';
import { control } from '../api/control.mjs';
import { receive } from '../api/receiver.mjs';
import { startServer } from '../support/server.mjs';
import { makeMemory } from '../support/memory.mjs';
import { furnish, requests } from './memory_requests.mjs';

/* By hand, MEMORY_EACH=1 has each allocation of each request fail; MEMORY_ONLY picks requests by a part of their names. */
const EACH = Boolean(process.env.MEMORY_EACH);
const POINTS = 6; // of a request, in CI
const FURTHEST = 400; // of a request; those that use more do so in loops
const ONLY = process.env.MEMORY_ONLY ?? '';
const WAITS_MS = 300; // what waits for memory is given so long
const SUSPECT_MS = 5000; // longer than any of them takes
const LEFT_MAX = 8; // blocks that the libraries' threads may have kept
const chosen = requests.filter(({ name }) => name.includes(ONLY));

/** What there is in an answer: names and types, but for what lists hold. */
function shape(value) {
    if (Array.isArray(value)) return 'list';
    if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shape(part)]));
}

const headersOf = ({ headers }) => Object.keys(headers).filter((name) => name !== 'connection').sort();

/** It succeeded, and nothing is missing in it. */
function assertLike(answer, reference, { name, same }) {
    assert.equal(answer.status, reference.status, `${name}: ${answer.text}`);
    assert.deepEqual(headersOf(answer), headersOf(reference), name);
    assert.equal(answer.headers['content-type'], reference.headers['content-type'], name);
    if (same) assert.equal(answer.text, reference.text, name);
    else if (!name.startsWith('POST verify')) assert.deepEqual(Object.keys(shape(answer.body ?? {})), Object.keys(shape(reference.body ?? {})), name);
}

/** A failure of ours that says so, in its API's shape (H6). */
function assertFailure(answer, { name }) {
    const { status, body, headers } = answer;
    assert.ok([500, 503].includes(status), `${name}: ${status} ${answer.text}`);
    const said = body?.error?.type ?? body?.error ?? body?.type ?? answer.text;
    assert.match(said, /server_error|An error of the server's own|urn:understudy:(server_error|storage_\w+)|Something went wrong/, `${name}: ${answer.text}`);
    assert.ok(headers['content-type'] && headers['x-request-id'], name);
    if (status === 503) assert.ok(headers['retry-after'], name);
}

const closed = (error) => {
    if (['ECONNRESET', 'EPIPE'].includes(error.code) || error.message === 'socket hang up') return null;
    throw error;
};

/** Which allocations of a request are to fail, of so many. */
function* points(used) {
    for (let nth = 1; EACH ? nth <= FURTHEST : nth <= used; nth += EACH ? 1 : Math.max(1, Math.floor(used / POINTS))) yield nth;
}

let texts = 0;

/** Sends a request while memory runs out at that point, and looks at what came of it. */
async function attempt(own, kind, memory, reference, nth, times, counts) {
    texts += 1;
    const text = `t${texts}`;
    const ready = await kind.prepare?.(own, text);
    if (kind.keep) own[kind.keep] = ready;
    memory.fail(nth, times);
    const begun = Date.now();
    let lifted = false;
    const late = setTimeout(() => { lifted = !kind.waits; memory.lift(); }, kind.waits ? WAITS_MS : SUSPECT_MS);
    const answer = await kind.send(own, text, ready).catch(closed);
    clearTimeout(late);
    const hits = memory.lift();
    const where = `${kind.name}, allocation ${nth}, ${times < 0 ? 'all' : times}: ${answer ? `${answer.status} ${answer.text.slice(0, 300)}` : 'closed'}`;
    assert.ok(!lifted && Date.now() - begun < SUSPECT_MS + WAITS_MS, `${where} came late`);
    try {
        if (!answer) counts.closed += 1;
        else if (answer.status === kind.status) assertLike(answer, reference, kind);
        else assertFailure(answer, kind);
        if (answer && hits) counts[answer.status === kind.status ? 'done' : 'failed'] += 1;
        await kind.whole?.(own, text, ready);
    } catch (error) {
        error.message = `${where}: ${error.message}`;
        throw error;
    }
    return hits;
}

/** What a request gets while there is memory. */
async function ask(own, kind) {
    texts += 1;
    const text = `t${texts}`;
    const ready = await kind.prepare?.(own, text);
    if (kind.keep) own[kind.keep] = ready;
    const answer = await kind.send(own, text, ready);
    assert.equal(answer.status, kind.status, `${kind.name}: ${answer.text}`);
    await kind.whole?.(own, text, ready);
    return answer;
}

/** The same, and how many allocations there are in it, about. */
async function measure(own, kind, memory) {
    let used = Infinity;
    let answer;
    for (let i = 0; i < 3; i += 1) {
        const before = memory.get('count');
        answer = await ask(own, kind);
        used = Math.min(used, memory.get('count') - before);
    }
    return { answer, used: Math.min(used, FURTHEST) };
}

const ARGS = ['--durability', 'process', '--threads', '2', '--callback-allow', '127.0.0.1', '--journal-memory', '1MiB'];

async function sweep(t, times, failing) {
    const counts = { done: 0, failed: 0, closed: 0 };
    const wrong = [];
    const receiver = await receive(t);
    const memory = await makeMemory(t);
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const server = await startServer({ db, env: memory.env, args: ARGS });
    t.after(() => server.kill('SIGKILL'));
    const shared = await furnish(server, receiver);
    for (const kind of chosen) {
        const own = kind.apart ? await furnish(server, receiver) : shared;
        const { answer, used } = await measure(own, kind, memory);
        let missed = 0;
        for (const nth of failing ? points(used) : [])
            try {
                const hits = await attempt(own, kind, memory, answer, nth, times, counts);
                missed = hits ? 0 : missed + 1;
                if (missed === 3) break;
                assertLike(await ask(own, kind), answer, kind);
            } catch (error) {
                wrong.push(error);
                if (EACH) console.error(error.message.slice(0, 400));
                if (error.code === 'ECONNREFUSED') throw new Error(`${wrong.map(({ message }) => message).join('\n')}\n${server.stderr.slice(-2000)}`);
            }
    }
    assert.deepEqual(wrong.map(({ message }) => message), []);
    assert.equal((await control(server, { prefix: shared.prefix }).send('GET', '/jobs')).status, 200);
    const { code } = await server.kill('SIGTERM');
    assert.equal(code, 0, server.stderr);
    assert.deepEqual(await sql(db, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
    return { counts, live: memory.get('live'), stderr: server.stderr };
}

test('H6: an allocation of a request fails: it alone fails, and nothing is left of it', async (t) => {
    const without = await sweep(t, 1, false);
    const once = await sweep(t, 1, true);
    assert.ok(once.live <= without.live + LEFT_MAX, `${once.live} blocks at the end, ${without.live} without a failure`);
    t.diagnostic(`${JSON.stringify(once.counts)}; ${once.live} blocks in use at the end, ${without.live} without a failure`);
});

test('H6: all allocations of a request fail from one on: it fails, and the next is served', async (t) => {
    const without = await sweep(t, -1, false);
    const { counts, live } = await sweep(t, -1, true);
    assert.ok(live <= without.live + LEFT_MAX, `${live} blocks at the end, ${without.live} without a failure`);
    t.diagnostic(`${JSON.stringify(counts)}; ${live} blocks in use at the end, ${without.live} without a failure`);
});

/** Jobs run and callbacks go out while each of some allocations fails, of whichever thread. */
async function work(t, failures, rounds) {
    const receiver = await receive(t);
    const memory = await makeMemory(t);
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const server = await startServer({ db, env: memory.env,
        args: [...ARGS, '--queue-time', '1ms', '--processing-time', '1ms'] });
    t.after(() => server.kill('SIGKILL'));
    const api = studio(server);
    const counts = { jobs: 0, hits: 0 };
    const owed = [];
    for (let nth = 1; nth <= rounds; nth += 1) {
        const body = job({ request_id: `r${nth}`, callback_url: receiver.url, callback_headers: { 'X-N': `${nth}` } });
        const known = receiver.requests.length;
        if (nth % 2) memory.fail(nth, failures); // of the request, or only of what comes of it
        const first = await api.createJob(body).catch(closed);
        if (nth % 2 === 0) memory.fail(nth, failures);
        await Promise.race([receiver.came(known + 1), new Promise((resolve) => { setTimeout(resolve, 50); })]);
        counts.hits += memory.lift();
        const again = await api.createJob(body);
        assert.ok([200, 201].includes(again.status), again.text);
        if (first?.status === 201) assert.equal(again.body.id, first.body.id, 'what was acknowledged is there');
        owed.push(again.body.id);
    }
    for (const id of owed) assert.equal((await api.jobEnd(id)).status, 'completed');
    await until(() => owed.every((id) => receiver.requests.some(({ json }) => json.id === id)),
        { what: 'every callback came' }).catch((error) => {
        const missing = owed.filter((id) => !receiver.requests.some(({ json }) => json.id === id));
        throw new Error(`${error.message}: ${missing.length} of ${owed.length}\n${server.stderr.slice(-2000)}`);
    });
    counts.jobs = owed.length;
    counts.callbacks = receiver.requests.length;
    await server.stop();
    assert.deepEqual(await sql(db, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
    return counts;
}

for (const failures of [1, 40])
    test(`S22, S25: allocations fail while jobs run and callbacks go out, ${failures} at a time: each job ends, each callback arrives`, async (t) => {
        const counts = await work(t, failures, EACH ? 300 : 60);
        t.diagnostic(JSON.stringify(counts));
    });
