// The store's medium fails: a write or a sync, once or from then on.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { job, scenarios, serve, sql, studio, temporaryDirectory } from '../api/client.mjs';
import { makeFaults, times } from '../support/faults.mjs';
import { startServer } from '../support/server.mjs';

const WRITERS = 16;
const EXITS_WITHIN_MS = 1000;
const ARRIVES_WITHIN_MS = 1000; // also where a busy machine lets a connection wait to be accepted
const QUICK = ['--queue-time', '1ms', '--processing-time', '2ms'];
const TIMES = times(50);

/** Writes until the server is gone: what it acknowledged, what it refused, and when those were sent that it left alone. */
async function writeUntilGone(server, acknowledged, refused, left) {
    await Promise.all(Array.from({ length: WRITERS }, async (_, writer) => {
        for (let i = 0; ; i += 1) {
            const name = `${writer}-${i}`;
            let answer;
            const sent = Date.now();
            try {
                answer = await (i % 2 ? scenarios(server).create({ name }) : studio(server).createJob(job({ request_id: name })));
            } catch (error) {
                assert.ok(['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code), error.stack);
                left.push(sent);
                return;
            }
            if (answer.status === 201) acknowledged.push({ kind: i % 2 ? 'project_scenario' : 'job', id: answer.body.id });
            else refused.push(answer);
        }
    }));
}

function assertRefused(answer) {
    assert.equal(answer.status, 503, answer.text);
    assert.ok(answer.headers['retry-after'], 'Retry-After');
    const { error } = answer.body; // an object in the Studio API's shape, a text in the Scenarios API's
    if (typeof error === 'string') assert.equal(error, 'The store cannot be read or written');
    else assert.deepEqual([error.type, error.code], ['server_error', 'storage_unavailable']);
}

async function assertAllThere(db, acknowledged) {
    for (const kind of ['job', 'project_scenario']) {
        const there = new Set((await sql(db, `SELECT id FROM ${kind}`)).map(({ id }) => id));
        for (const entry of acknowledged) assert.ok(entry.kind !== kind || there.has(entry.id), `${kind} ${entry.id}`);
    }
    assert.deepEqual(await sql(db, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
}

/** One fault, and all that must come of it. */
async function fail(t, what, cycle, counts) {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    const faults = makeFaults(t, directory);
    const server = await startServer({ db, env: faults.env, args: QUICK });
    t.after(() => server.kill('SIGKILL'));
    const acknowledged = [];
    const refused = [];
    const left = [];
    const before = server.stderr.length; // what it said of the machine at its start
    faults.set(what(cycle));
    const writing = writeUntilGone(server, acknowledged, refused, left);
    const { code, signal } = await server.exited;
    const took = Date.now() - faults.get('hitAt');
    await writing;
    assert.deepEqual({ code, signal }, { code: 74, signal: null }, server.stderr);
    assert.ok(took < EXITS_WITHIN_MS * (process.env.ASAN_OPTIONS ? 5 : 1), `${took} ms`);
    assert.equal(faults.get('hits'), 1, 'nothing was tried again');
    // Some that come at the last moment find nobody; those that had come before the fault are answered.
    assert.deepEqual(left.filter((sent) => sent < faults.get('hitAt') - ARRIVES_WITHIN_MS), []);
    refused.forEach(assertRefused);
    const complaints = server.stderr.slice(before).split('\n').filter((line) => / (error|warn) /.test(line));
    assert.equal(complaints.length, 1, server.stderr);
    const next = await serve(t, { db, args: QUICK });
    await assertAllThere(db, acknowledged);
    await next.stop();
    counts.acknowledged += acknowledged.length;
    counts.refused += refused.length;
    counts.slowest = Math.max(counts.slowest, took);
}

for (const [name, what] of [
    ['a write', (cycle) => ({ writes: 1 + cycle * 7 })],
    ['a sync', (cycle) => ({ syncs: cycle })],
]) {
    test(`H6: ${name} that fails: 503 storage_unavailable, one line, exit 74, ${TIMES / 2} times`, async (t) => {
        const counts = { acknowledged: 0, refused: 0, slowest: 0 };
        for (let cycle = 0; cycle < TIMES / 2; cycle += 1) await fail(t, what, cycle, counts);
        assert.ok(counts.refused > TIMES, `${counts.refused} refused`);
        t.diagnostic(`${Math.ceil(TIMES / 2)} of ${Math.ceil(TIMES / 2)}: ${counts.acknowledged} acknowledged, 0 lost; `
            + `${counts.refused} refused; exit after ${counts.slowest} ms at most`);
    });
}
