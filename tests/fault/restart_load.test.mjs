// Ends under load: what was acknowledged is there, whole, once.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { DEFAULT_KEY, job, parseAnswers, rawRequest, scenarios, serve, sql, studio, temporaryDirectory,
    until } from '../api/client.mjs';
import { times } from '../support/faults.mjs';
import { startServer } from '../support/server.mjs';

const STOPS_WITHIN_MS = 10_000;
const READY_WITHIN_MS = 2000;
const CYCLES = times(20) / 2; // each of both durabilities
const STOPS = times(3);
const CYCLES_A_STORE = 10; // what ended long ago is not kept for ever
const QUICK = ['--queue-time', '1ms', '--processing-time', '2ms'];

/**
 * Writes from so many connections until the server is gone; keeps what was acknowledged.
 * A connection that breaks ends its writer.
 */
async function writeUntilGone(server, connections, acknowledged, cycle) {
    await Promise.all(Array.from({ length: connections }, async (_, writer) => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const api = studio(server, { agent });
        const project = scenarios(server, { agent });
        try {
            for (let i = 0; ; i += 1) {
                const name = `${cycle}-${writer}-${i}`;
                const kind = i % 4;
                let answer;
                if (kind === 0) answer = await api.createSession(job({ request_id: name }));
                else if (kind === 1) answer = await project.create({ name });
                else answer = await api.createJob(job({ request_id: name,
                    callback_url: 'http://127.0.0.1:9/' }));
                if (answer.status === 503) return; // it is stopping, and says so
                assert.ok(answer.status === 200 || answer.status === 201, answer.text);
                const entry = { kind: ['session', 'scenario', 'job', 'job'][kind], name,
                    id: answer.body.id };
                acknowledged.push(entry);
                if (kind === 3) {
                    const cancel = await api.cancelJob(entry.id);
                    if (cancel.status === 503) return;
                    entry.end = cancel.status === 200 ? 'cancelled' : 'completed';
                    if (cancel.status !== 200)
                        assert.equal(cancel.body.error.code, 'job_not_cancellable', cancel.text);
                }
            }
        } catch (error) {
            // Only the connection may fail, and only as one does whose server is gone.
            if (!['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code)
                && error.message !== 'aborted') throw error;
        } finally {
            agent.destroy();
        }
    }));
}

async function assertAllThere(db, server, acknowledged) {
    await until(async () => (await sql(db, 'SELECT count(*) AS n FROM job WHERE status < 2'))[0].n === 0);
    const jobs = new Map((await sql(db, 'SELECT id, request_id, status, scenario, due_at, callback_url,'
        + ' (SELECT count(*) FROM delivery WHERE delivery.job = job.seq) AS owed,'
        + ' (SELECT count(*) FROM scenario WHERE scenario.job = job.id) AS made FROM job'))
        .map((row) => [row.id, row]));
    const sessions = new Map((await sql(db, 'SELECT id, request_id FROM session'))
        .map((row) => [row.id, row.request_id]));
    const names = new Map((await sql(db, 'SELECT id, name FROM project_scenario'))
        .map((row) => [row.id, row.name]));
    for (const { kind, id, name, end } of acknowledged) {
        if (kind === 'session') assert.equal(sessions.get(id), name);
        else if (kind === 'scenario') assert.equal(names.get(id), name);
        else assert.equal(jobs.get(id)?.request_id, name);
        if (end) assert.equal(jobs.get(id).status, end === 'cancelled' ? 4 : 2, `${id} ${end}`);
    }
    for (const row of jobs.values()) {
        assert.ok(row.status === 2 || row.status === 4);
        assert.deepEqual([row.due_at, row.owed, row.made, row.scenario !== null],
            [null, row.callback_url ? 1 : 0, row.status === 2 ? 1 : 0, row.status === 2],
            JSON.stringify(row));
    }
    assert.deepEqual(await sql(db, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
    assert.deepEqual(await sql(db, 'PRAGMA foreign_key_check'), []);
    // And the server says the same as its file.
    for (const { kind, id, name } of acknowledged.slice(-40)) {
        const api = studio(server);
        if (kind === 'job') assert.equal((await api.getJob(id)).status, 200);
        else if (kind === 'scenario') assert.equal((await scenarios(server).get(id)).body.name, name);
        else assert.equal((await api.page(`/chat/${id}`)).status, 200);
    }
}

for (const durability of ['power', 'process']) {
    test(`H6, S12, S22: kill -9 under writes from 16 connections, ${CYCLES} times (--durability `
        + `${durability}): all that was acknowledged is there`, async (t) => {
        const args = [...QUICK, '--durability', durability];
        let db;
        let acknowledged;
        let total = 0;
        let slowest = 0;
        for (let cycle = 0; cycle < CYCLES; cycle += 1) {
            if (cycle % CYCLES_A_STORE === 0) [db, acknowledged] = [path.join(await temporaryDirectory(t), 'store.db'), []];
            const server = await startServer({ db, args });
            const before = acknowledged.length;
            const writing = writeUntilGone(server, 16, acknowledged, cycle);
            await until(() => acknowledged.length >= before + 150);
            await server.kill('SIGKILL');
            await writing;
            total += acknowledged.length - before;
            const from = Date.now();
            const next = await startServer({ db, args });
            slowest = Math.max(slowest, Date.now() - from);
            try {
                await assertAllThere(db, next, acknowledged);
            } finally {
                await next.stop();
            }
        }
        assert.ok(slowest < READY_WITHIN_MS * (process.env.ASAN_OPTIONS ? 3 : 1), `ready after ${slowest} ms`);
        t.diagnostic(`${CYCLES} kills: ${total} acknowledged, 0 lost, 0 double; ready after ${slowest} ms at most`);
    });
}

test('H6, S12, S22: SIGTERM under 64 connections: exit 0 within 10 s, nothing lost', async (t) => {
    let db;
    let acknowledged;
    let total = 0;
    let slowest = 0;
    for (let cycle = 0; cycle < STOPS; cycle += 1) {
        if (cycle % CYCLES_A_STORE === 0) [db, acknowledged] = [path.join(await temporaryDirectory(t), 'store.db'), []];
        const server = await startServer({ db, args: QUICK });
        const before = acknowledged.length;
        const writing = writeUntilGone(server, 64, acknowledged, cycle);
        await until(() => acknowledged.length >= before + 300);
        const from = Date.now();
        const { code, signal } = await server.kill('SIGTERM');
        const took = Date.now() - from;
        slowest = Math.max(slowest, took);
        await writing;
        total += acknowledged.length - before;
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, server.stderr);
        assert.ok(took < STOPS_WITHIN_MS, `${took} ms`);
        const next = await startServer({ db, args: QUICK });
        try {
            await assertAllThere(db, next, acknowledged);
        } finally {
            await next.stop();
        }
    }
    t.diagnostic(`${STOPS} of ${STOPS} exit 0, after ${slowest} ms at most; ${total} acknowledged, 0 lost`);
});

/** Sends requests one after the other on a connection; resolves to all bytes when it is closed. */
function chatter(server, acknowledged, writer) {
    return new Promise((resolve, reject) => {
        const chunks = [];
        let sent = 0;
        let read = 0;
        const socket = net.connect(server.port, '127.0.0.1');
        const send = () => {
            const body = JSON.stringify(job({ request_id: `raw-${writer}-${sent}`,
                prompt: `Call ${'x'.repeat(2000)}` }));
            socket.write(rawRequest('POST', '/rest/v1/scenario-studio/jobs',
                [`Authorization: Bearer ${DEFAULT_KEY}`, `Content-Length: ${body.length}`], body));
            sent += 1;
        };
        socket.on('connect', send);
        socket.on('data', (chunk) => {
            chunks.push(chunk);
            const { answers } = parseAnswers(Buffer.concat(chunks));
            for (; read < answers.length; read += 1) {
                if (answers[read].status === 201) acknowledged.push(answers[read].body.id);
                if (!socket.destroyed && socket.writable) send();
            }
        });
        socket.on('error', (error) => {
            if (!['ECONNRESET', 'EPIPE', 'ECONNREFUSED'].includes(error.code)) reject(error);
        });
        socket.on('close', () => resolve(Buffer.concat(chunks)));
    });
}

async function stopUnderChatter(t) {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const server = await startServer({ db, args: QUICK });
    const acknowledged = [];
    const streams = Array.from({ length: 64 }, (_, writer) => chatter(server, acknowledged, writer));
    await until(() => acknowledged.length >= 300);
    assert.equal((await server.kill('SIGTERM')).code, 0);
    for (const bytes of await Promise.all(streams)) {
        const { answers, rest } = parseAnswers(bytes);
        assert.equal(rest.toString('latin1'), '', 'a whole number of answers');
        for (const answer of answers) {
            assert.ok(answer.status === 201 || answer.status === 503, answer.text);
            assert.ok(answer.body, answer.text);
            if (answer.status === 503) assert.ok(answer.headers['retry-after'], 'H6: Retry-After');
        }
    }
    const next = await serve(t, { db, args: QUICK });
    assert.equal(new Set(acknowledged).size, acknowledged.length);
    const known = new Set((await sql(db, 'SELECT id FROM job')).map(({ id }) => id));
    for (const id of acknowledged) assert.ok(known.has(id), id);
    assert.equal((await studio(next).getJob(acknowledged.at(-1))).status, 200);
    await next.stop();
    return acknowledged.length;
}

test('H6: SIGTERM under 64 connections: no answer is cut short', async (t) => {
    let answers = 0;
    for (let i = 0; i < STOPS; i += 1) answers += await stopUnderChatter(t);
    t.diagnostic(`${STOPS} stops, ${answers} acknowledged, none cut short, none lost`);
});

test('H6: SIGTERM while an answer is on its way: it arrives whole, and /readyz says 503', async (t) => {
    const server = await startServer({});
    t.after(() => server.kill('SIGKILL'));
    const project = scenarios(server);
    const instructions = 'x'.repeat(1_000_000);
    for (let i = 0; i < 16; i += 1) assert.equal((await project.create({ name: `${i}`, instructions })).status, 201);

    // More than the sockets hold between them, so the server is still sending when nobody reads.
    const slow = net.connect({ port: server.port, host: '127.0.0.1' });
    slow.write('GET /api/projects/default/scenarios HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const pieces = [await once(slow, 'data').then(([piece]) => piece)];
    slow.pause();
    const idle = net.connect({ port: server.port, host: '127.0.0.1' });
    await once(idle, 'connect');
    idle.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.match(String((await once(idle, 'data'))[0]), /^HTTP\/1.1 200 /); // the server has it by now

    const ended = server.kill('SIGTERM');
    await until(() => server.stderr.includes('stopping'));
    idle.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const answer = String((await once(idle, 'data'))[0]);
    assert.match(answer, /^HTTP\/1.1 503 /);
    assert.match(answer, /\r\nConnection: close\r\n/i);
    assert.ok(answer.endsWith('{"status":"stopping"}'), answer);

    // Only this answer keeps the server now: nobody else is let in any more.
    await until(() => new Promise((resolve) => {
        const late = net.connect({ port: server.port, host: '127.0.0.1' });
        late.on('connect', () => { late.destroy(); resolve(false); });
        late.on('error', (error) => resolve(error.code === 'ECONNREFUSED'));
    }));
    slow.on('data', (piece) => pieces.push(piece));
    slow.resume();
    await once(slow, 'end');
    const { answers, rest } = parseAnswers(Buffer.concat(pieces));
    assert.equal(rest.length, 0, 'nothing is missing');
    assert.equal(answers[0].body.length, 16);
    assert.equal((await ended).code, 0);
});

test('a clean stop leaves one file, all in it', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    const server = await startServer({ db, args: QUICK });
    const { id } = await studio(server).newJob();
    await studio(server).jobEnd(id);
    await server.stop();
    const rows = await sql(`file:${db}?immutable=1`, 'SELECT id FROM job'); // looks at no log beside it
    assert.deepEqual(rows, [{ id }]);
});
