// The store's disk is full, and has room again.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { assertError, inParallel, job, request, scenarios, serve, sql, studio, temporaryDirectory, until } from '../api/client.mjs';
import { control } from '../api/control.mjs';
import { receive } from '../api/receiver.mjs';
import { EDQUOT, makeFaults } from '../support/faults.mjs';
import { startServer } from '../support/server.mjs';

const HEALS_WITHIN_MS = 5000;
const LINE_EVERY_MS = 10_000;
const FULL_FOR_MS = 12_000; // longer than from one line to the next
const ROUNDS = 2;
const LOG_MAX = 4 << 20; // a quarter of the disk

/**
 * A disk of 16 MiB, in a mount namespace that lives as long as the test: where its files are seen
 * from here, and a program that starts the server in there. Null where none can be made.
 */
async function makeDisk(t, directory) {
    const holder = spawn('unshare', ['-Urm', 'sh', '-c',
        `mount -t tmpfs -o size=16m none '${directory}' && echo there && exec sleep 1000`], { stdio: ['ignore', 'pipe', 'ignore'] });
    t.after(() => holder.kill('SIGKILL'));
    const there = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit').then(() => null), once(holder, 'error').then(() => null)]);
    if (!there) return null;
    const bin = path.join(await temporaryDirectory(t), 'within');
    await writeFile(bin, `#!/bin/sh\nexec nsenter -t ${holder.pid} -U -m --preserve-credentials '${process.env.UNDERSTUDY_BIN}' "$@"\n`);
    await chmod(bin, 0o755);
    return { bin, seen: path.join(`/proc/${holder.pid}/root`, directory) };
}

/** Fills it to the last byte; resolves to a function that frees it. */
async function fill(disk) {
    const filler = path.join(disk.seen, 'filler');
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' });
    return () => rm(filler);
}

const logSize = async (disk) => (await stat(path.join(disk.seen, 'store.db-wal'))).size;

/** Asks on and on until told to stop; keeps what was acknowledged, counts the rest by status and code. */
function goOn(ask, took) {
    const counts = {};
    let stops = false;
    const done = (async () => {
        for (let i = 0; !stops; i += 1) {
            const answer = await ask(i);
            took(answer, i);
            const name = [answer.status, answer.body?.error?.code].filter(Boolean).join(' ');
            counts[name] = (counts[name] ?? 0) + 1;
            await new Promise((resolve) => { setTimeout(resolve, 5); });
        }
        return counts;
    })();
    return { counts, stop: () => { stops = true; return done; } };
}

const readiness = async (server) => {
    const { status, body } = await request(server, 'GET', '/readyz');
    return [status, body.status];
};

test(`H6: the disk is full and has room again, ${ROUNDS} times: storage_full, reads go on, jobs wait, nothing is lost`, async (t) => {
    const directory = await temporaryDirectory(t);
    const disk = await makeDisk(t, directory);
    if (!disk) {
        t.skip('no file system can be mounted here');
        return;
    }
    const receiver = await receive(t);
    const db = path.join(directory, 'store.db');
    const args = ['--queue-time', '300ms', '--processing-time', '300ms'];
    const server = await startServer({ bin: disk.bin, db, args });
    t.after(() => server.kill('SIGKILL'));
    const api = studio(server);
    const acknowledged = [];
    const complaints = [];
    const total = {};
    for (let round = 0; round < ROUNDS; round += 1) {
        const waiting = [];
        for (let i = 0; i < 40; i += 1) waiting.push((await api.newJob({ callback_url: receiver.url })).id);
        const free = await fill(disk);
        const writes = goOn((i) => api.createJob(job({ request_id: `${round}-${i}`, prompt: `Call ${'x'.repeat(3000)}` })),
            ({ status, body, headers, text }) => {
                if (status === 201) acknowledged.push(body.id);
                else assert.deepEqual([status, body.error.code, headers['retry-after']], [503, 'storage_full', '1'], text);
            });
        const others = goOn((i) => scenarios(server).create({ name: `${round}-${i}`, instructions: 'x'.repeat(3000) }), ({ status, body, text }) => {
            assert.ok(status === 201 || (status === 503 && body.error === 'The store\'s disk is full'), text);
        });
        const reads = goOn(() => api.getJob(waiting[0]), ({ status, body, text }) => {
            assert.equal(status, 200, text);
            assert.notEqual(body.status, 'failed');
        });
        await until(async () => (await readiness(server))[0] === 503);
        assert.deepEqual(await readiness(server), [503, 'storage_full']);
        const from = Date.now();
        while (Date.now() - from < FULL_FOR_MS) {
            await new Promise((resolve) => { setTimeout(resolve, 250); });
            assert.deepEqual(await readiness(server), [503, 'storage_full'], 'it does not flap');
        }
        await free();
        const freed = Date.now();
        await until(async () => (await readiness(server))[0] === 200);
        for (const id of waiting) assert.equal((await api.jobEnd(id)).status, 'completed');
        const heals = Date.now() - freed;
        assert.ok(heals < HEALS_WITHIN_MS * (process.env.ASAN_OPTIONS ? 2 : 1), `${heals} ms`);
        for (const counted of await Promise.all([writes.stop(), others.stop(), reads.stop()]))
            for (const [name, count] of Object.entries(counted)) total[name] = (total[name] ?? 0) + count;
        t.diagnostic(`healed within ${heals} ms`);
    }
    assert.ok(total['503 storage_full'] > 100, JSON.stringify(total));
    for (const line of server.stderr.split('\n').filter((one) => / (error|warn) /.test(one))) complaints.push(Date.parse(line.split(' ')[0]));
    for (let i = 1; i < complaints.length; i += 1) assert.ok(complaints[i] - complaints[i - 1] >= LINE_EVERY_MS - 10, server.stderr);
    assert.ok(complaints.length >= ROUNDS, server.stderr);
    await receiver.came(40 * ROUNDS);

    assert.equal((await server.kill('SIGKILL')).signal, 'SIGKILL');
    const next = await startServer({ bin: disk.bin, db, args });
    await next.stop();
    const seen = path.join(await temporaryDirectory(t), 'store.db'); // sqlite3 follows /proc/…/root to here
    await copyFile(path.join(disk.seen, 'store.db'), seen);
    const there = new Map((await sql(seen, 'SELECT id, status FROM job')).map(({ id, status }) => [id, status]));
    for (const id of acknowledged) assert.ok(there.has(id), id);
    for (const status of there.values()) assert.ok(status < 3, 'none has failed');
    assert.deepEqual(await sql(seen, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
    t.diagnostic(`${acknowledged.length} acknowledged, 0 lost; answers ${JSON.stringify(total)}; ${complaints.length} lines`);
});

test('H6: the log leaves the most of a small disk to others, and gives back what a large write took', async (t) => {
    const directory = await temporaryDirectory(t);
    const disk = await makeDisk(t, directory);
    if (!disk) {
        t.skip('no file system can be mounted here');
        return;
    }
    const server = await startServer({ bin: disk.bin, db: path.join(directory, 'store.db'), args: ['--queue-time', '1h'] });
    t.after(() => server.kill('SIGKILL'));
    const api = studio(server);
    const mock = control(server);
    const prompt = `Call ${'x'.repeat(4000)}`;
    const makeJobs = (count) => inParallel(16, Array.from({ length: count }), () => api.newJob(job({ prompt })));
    const readState = () => mock.must(200, 'GET', '/state?workspace=default');
    const writeState = (state) => mock.send('PUT', '/state?workspace=default', { body: state });

    await makeJobs(1100);
    assert.ok(await logSize(disk) < LOG_MAX, `${await logSize(disk)} bytes of log`);
    const state = await readState();
    const largerState = JSON.parse(JSON.stringify(state).replaceAll(prompt, prompt + prompt));
    assert.equal((await writeState(state)).status, 200);
    assert.ok(await logSize(disk) > LOG_MAX, 'one write takes what it needs');

    await fill(disk);
    const refused = await writeState(largerState);
    assert.deepEqual([refused.status, refused.body.type], [503, 'urn:understudy:storage_full']);
    await until(async () => (await readiness(server))[0] === 200);
    assert.ok(await logSize(disk) < LOG_MAX, `${await logSize(disk)} bytes of log`);
    assert.deepEqual(await readState(), state);
    await makeJobs(1);
});

test('H6: a quota that is used up is a full disk', async (t) => {
    const directory = await temporaryDirectory(t);
    const faults = makeFaults(t, directory);
    const server = await serve(t, { db: path.join(directory, 'store.db'), env: faults.env });
    const api = studio(server);
    const before = await api.newJob();
    faults.set({ writes: 0, error: EDQUOT });
    for (let i = 0; i < 3; i += 1) assertError(await api.createJob(job()), 503, 'server_error', 'storage_full', 'The store\'s disk is full');
    assert.deepEqual(await readiness(server), [503, 'storage_full']);
    assert.equal((await api.getJob(before.id)).status, 200);
    faults.set({ writes: -1 });
    await until(async () => (await readiness(server))[0] === 200);
    await api.newJob();
});
