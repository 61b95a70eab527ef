// More writes wait than the store's queue holds: whoever comes then is told so at once.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { parseAnswers, scenarios, serve, studio, temporaryDirectory } from '../api/client.mjs';
import { makeFaults } from '../support/faults.mjs';

const QUEUE = 8192; // src/store/writer.c
const BATCH = 256; // is no part of it any more
const AT_A_TIME = 200;
const TRIES = 50;
const TOLD_WITHIN_MS = 60_000; // turns a queue without an end into a failure
const AT_ONCE_MS = 1000; // on a machine that does much else
const FULL = 'Too many writes are waiting';

async function connect(server) {
    const socket = net.connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
}

/** A write on such a connection: its answer, and how long that took. */
async function post(socket, name) {
    const body = JSON.stringify({ name });
    const begun = performance.now();
    socket.write('POST /api/projects/crowd/scenarios HTTP/1.1\r\nHost: localhost\r\n'
        + `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const [bytes] = await once(socket, 'data');
    const [answer] = parseAnswers(bytes).answers;
    return { ...answer, ms: performance.now() - begun };
}

test('H6: a full write queue answers 503 overloaded at once, reads go on, and all that waited is done', async (t) => {
    const directory = await temporaryDirectory(t);
    const faults = makeFaults(t, directory);
    const server = await serve(t, { db: path.join(directory, 'store.db'), env: faults.env });
    const { id } = await studio(server).newJob();
    const sockets = [];
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    while (sockets.length < QUEUE + BATCH + AT_A_TIME)
        sockets.push(...await Promise.all(Array.from({ length: AT_A_TIME }, () => connect(server))));
    faults.set({ stalls: 1 });
    const waiting = sockets.map((socket, i) => post(socket, `n${i}`));
    const [first] = await Promise.race([Promise.race(waiting).then((answer) => [answer]), once(AbortSignal.timeout(TOLD_WITHIN_MS), 'abort').then(() => [])]);
    assert.ok(first, 'nobody is refused');
    assert.deepEqual([first.status, first.body.error], [503, FULL]);
    const late = await connect(server);
    sockets.push(late);
    const times = [];
    for (let i = 0; i < TRIES; i += 1) {
        const { status, body, headers, ms } = await post(late, `late${i}`);
        assert.deepEqual([status, body.error, headers['retry-after']], [503, FULL, '1']);
        times.push(ms);
    }
    assert.equal((await studio(server).getJob(id)).status, 200);
    faults.set({ stalls: 0 });
    const counts = {};
    for (const { status, body } of await Promise.all(waiting)) {
        const what = status === 201 ? '201' : `${status} ${body.error}`;
        counts[what] = (counts[what] ?? 0) + 1;
    }
    assert.deepEqual(Object.keys(counts), ['201', `503 ${FULL}`]);
    assert.equal((await scenarios(server, { project: 'crowd' }).list()).body.length, counts[201]);
    times.sort((a, b) => a - b);
    const median = times[TRIES / 2];
    assert.ok(median < AT_ONCE_MS, `${median} ms`);
    t.diagnostic(`${JSON.stringify(counts)}; ${TRIES} more told in ${median.toFixed(1)} ms, ${times.at(-1).toFixed(1)} ms at most`);
});
