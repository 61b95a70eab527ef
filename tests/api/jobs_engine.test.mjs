// What moves jobs: cancels that race the worker, places in processing, the outbox.

import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';

import { afterwards, inParallel, job, serve, sql, studio, temporaryDirectory,
    until } from './client.mjs';
import { startServer } from '../support/server.mjs';

const COLUMNS = 'seq, id, status, created_at, started_at, completed_at, due_at, prompt';
const QUEUED = 0;
const PROCESSING = 1;
const COMPLETED = 2;
const FAILED = 3;
const CANCELLED = 4;
const NAMES = ['queued', 'processing', 'completed', 'failed', 'cancelled'];

async function withStore(t, args) {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
    t.after(() => agent.destroy());
    const server = await startServer({ db: file, args });
    afterwards(t, () => server.stop());
    return { server, api: studio(server, { agent }),
        rows: () => sql(file, `SELECT ${COLUMNS} FROM job ORDER BY seq`),
        query: (statement) => sql(file, statement) };
}

/** How many jobs were in processing at once, at most. */
function mostAtOnce(rows) {
    const changes = rows.filter((row) => row.started_at !== null && row.completed_at > row.started_at)
        .flatMap((row) => [[row.started_at, 1], [row.completed_at, -1]])
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    let now = 0;
    return changes.reduce((most, [, change]) => Math.max(most, now += change), 0);
}

test('S22: cancels that race the worker: each job has one end, and everybody sees the same', async (t) => {
    const { api, rows, query } = await withStore(t, ['--queue-time', '1ms', '--processing-time', '2ms']);
    const jobs = await inParallel(24, Array.from({ length: 600 }, (_, i) => i), async (i) => {
        const { id } = await api.newJob({ prompt: i % 3 ? 'Race the worker' : '?!',
            callback_url: 'http://127.0.0.1:9/' });
        for (let reads = i % 5; reads; reads -= 1) await api.readJob(id); // at different ages
        return { id, cancel: await api.cancelJob(id), then: (await api.getJob(id)).text };
    });
    const counts = {};
    for (const { id, cancel, then } of jobs) {
        if (cancel.status === 200) {
            assert.equal(cancel.body.status, 'cancelled');
            assert.equal(cancel.text, then, 'GET sees what DELETE saw');
        } else {
            assert.equal(cancel.status, 400);
            assert.equal(cancel.body.error.code, 'job_not_cancellable');
            const [, status] = /^Cannot cancel job in '(completed|failed)' state$/
                .exec(cancel.body.error.message);
            assert.equal(JSON.parse(then).status, status);
        }
        const { status } = JSON.parse(then);
        counts[status] = (counts[status] ?? 0) + 1;
        assert.equal((await api.getJob(id)).text, then, 'an end never changes');
    }
    assert.ok(counts.cancelled && counts.completed && counts.failed,
        `the race went both ways: ${JSON.stringify(counts)}`);
    for (const row of await rows()) {
        assert.ok(row.status >= COMPLETED);
        assert.equal(row.due_at, null);
        if (row.status === CANCELLED) assert.ok(row.completed_at >= (row.started_at ?? row.created_at));
        else assert.equal(row.completed_at, row.created_at + 3);
    }
    const [made] = await query('SELECT (SELECT count(*) FROM scenario) AS scenarios,'
        + ' (SELECT count(*) FROM scenario JOIN job ON job.id = scenario.job'
        + `  WHERE job.status = ${COMPLETED} AND job.scenario = scenario.id) AS theirs,`
        + ' (SELECT count(*) FROM delivery) AS deliveries,'
        + ' (SELECT count(DISTINCT job) FROM delivery) AS delivered');
    assert.deepEqual(made, { scenarios: counts.completed, theirs: counts.completed,
        deliveries: jobs.length, delivered: jobs.length });
});

test('S22: of 16 simultaneous DELETEs of a job one is answered 200', async (t) => {
    const { api } = await withStore(t, ['--queue-time', '1h']);
    for (let round = 0; round < 5; round += 1) {
        const { id } = await api.newJob();
        const answers = await Promise.all(Array.from({ length: 16 }, () => api.cancelJob(id)));
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(15).fill(400)]);
        for (const { status, body } of answers)
            if (status === 400)
                assert.equal(body.error.message, 'Cannot cancel job in \'cancelled\' state');
    }
});

test('S22: states are passed in order and never left for an earlier one', async (t) => {
    const { api } = await withStore(t, ['--queue-time', '30ms', '--processing-time', '30ms']);
    const order = ['queued', 'processing', 'completed'];
    await inParallel(10, Array.from({ length: 10 }), async () => {
        const { id } = await api.newJob();
        const seen = ['queued'];
        await until(async () => {
            const now = await api.readJob(id);
            if (now.status !== seen.at(-1)) seen.push(now.status);
            assert.equal(now.started_at === null, now.status === 'queued');
            assert.equal(now.completed_at === null, now.status !== 'completed');
            assert.equal(now.duration_seconds === null, now.status !== 'completed');
            assert.equal(now.scenario === null, now.status !== 'completed');
            return now.status === 'completed';
        });
        assert.deepEqual(seen, order.filter((status) => seen.includes(status)));
    });
});

test('S22: --max-processing 2: two at once, first in first out, each start at the end before', async (t) => {
    const QUEUE = 10;
    const PROCESS = 40;
    const { api, rows } = await withStore(t, ['--queue-time', `${QUEUE}ms`, '--processing-time',
        `${PROCESS}ms`, '--max-processing', '2']);
    const made = await inParallel(4, Array.from({ length: 24 }), () => api.newJob());
    let waited = false;
    await until(async () => {
        const now = await rows();
        const processing = now.filter(({ status }) => status === PROCESSING);
        assert.ok(processing.length <= 2, `${processing.length} in processing`);
        waited ||= now.some((row) => row.status === QUEUED && row.due_at < Date.now() - PROCESS / 2);
        return now.every(({ status }) => status >= COMPLETED);
    });
    assert.ok(waited, 'jobs stay queued while no place is free');
    const ended = await rows();
    assert.equal(ended.length, made.length);
    assert.equal(mostAtOnce(ended), 2);
    const freeAt = [0, 0];
    for (const row of ended) {
        freeAt.sort((a, b) => a - b);
        const start = Math.max(row.created_at + QUEUE, freeAt[0]);
        freeAt[0] = start + PROCESS;
        assert.deepEqual([row.started_at, row.completed_at], [start, start + PROCESS], `job ${row.seq}`);
    }
});

test('S22: --max-processing is for each workspace', async (t) => {
    const key = `exec_live_${'s'.repeat(40)}`;
    const server = await serve(t, { args: ['--queue-time', '0ms', '--processing-time', '1h',
        '--max-processing', '1', '--api-key', `${key}=side`, '--member', 'jane@acme.com=side'] });
    for (const api of [studio(server), studio(server, { key })]) {
        const [first, second] = [await api.newJob(), await api.newJob()];
        await api.jobIn(first.id, 'processing');
        assert.equal((await api.readJob(second.id)).status, 'queued');
    }
});

test('S22: under --max-processing a cancel of a job in processing starts the next at once', async (t) => {
    const { api, rows } = await withStore(t, ['--queue-time', '0ms', '--processing-time', '1h',
        '--max-processing', '2']);
    const jobs = [];
    for (let i = 0; i < 6; i += 1) jobs.push(await api.newJob());
    const ids = jobs.map(({ id }) => id);
    const states = async () => (await rows()).map(({ status }) => NAMES[status]);
    await api.jobIn(ids[1], 'processing');
    assert.deepEqual(await states(), ['processing', 'processing', ...Array(4).fill('queued')]);

    assert.equal((await api.cancelJob(ids[0])).status, 200);
    assert.equal((await api.readJob(ids[2])).status, 'processing', 'complete when the call returns');
    assert.equal((await api.cancelJob(ids[3])).status, 200, 'one that waits: nobody starts');
    assert.equal((await api.readJob(ids[4])).status, 'queued');
    assert.equal((await api.cancelJob(ids[2])).status, 200);
    assert.equal((await api.cancelJob(ids[1])).status, 200);
    assert.deepEqual(await states(),
        ['cancelled', 'cancelled', 'cancelled', 'cancelled', 'processing', 'processing']);
    const all = await rows();
    assert.equal(all[2].started_at, all[0].completed_at);
    assert.equal(all[3].started_at, null);
    assert.equal(all[4].started_at, all[2].completed_at);
    assert.equal(all[5].started_at, all[1].completed_at);
});

test('S22: a queued job whose queue time is not over does not take a free place', async (t) => {
    const { api, rows } = await withStore(t, ['--queue-time', '200ms', '--processing-time', '20ms',
        '--max-processing', '1']);
    await Promise.all([api.newJob(), api.newJob(), api.newJob()]);
    await until(async () => (await rows()).every(({ status }) => status >= COMPLETED));
    let free = 0;
    for (const row of await rows()) {
        const start = Math.max(row.created_at + 200, free);
        free = start + 20;
        assert.equal(row.started_at, start);
    }
});

for (const places of [1, 3]) {
    test(`S22: --max-processing ${places} with cancels in between: no place is shared or left empty,`
        + ' and nobody is overtaken', async (t) => {
        const { api, rows } = await withStore(t, ['--queue-time', '1ms', '--processing-time', '4ms',
            '--max-processing', String(places)]);
        // As many clients as make the worker lag behind; each chases one of its jobs to its start.
        await inParallel(12, Array.from({ length: 300 }, (_, i) => i), async (i) => {
            const { id } = await api.newJob();
            if (i % 3 === 0) return;
            if (i % 3 === 1) await api.jobIn(id, ['processing', 'completed']);
            await api.cancelJob(id);
        });
        await until(async () => (await rows()).every(({ status }) => status >= COMPLETED));
        const all = await rows();
        assert.ok(mostAtOnce(all) <= places, `${mostAtOnce(all)} at once`);
        const started = all.filter((row) => row.started_at !== null);
        const ends = new Set(started.map((row) => row.completed_at));
        let last = 0;
        for (const row of started) {
            assert.ok(row.started_at >= last,
                `job ${row.seq} began ${last - row.started_at} ms before one that came earlier`);
            assert.ok(row.started_at === row.created_at + 1 || ends.has(row.started_at),
                `job ${row.seq} began neither on time nor when a place became free`);
            last = row.started_at;
        }
    });
}

test('S25: an ended job with a callback_url has one row in the outbox, written with its end', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const server = await startServer({ db: file,
        args: ['--queue-time', '0ms', '--processing-time', '20ms'] });
    const api = studio(server);
    const callback_url = 'http://127.0.0.1:9/hook';
    try {
        const rows = () => sql(file, 'SELECT job.id FROM delivery JOIN job ON job.seq = delivery.job');
        const ends = [];
        for (const fields of [{}, { prompt: '...' }]) {
            const { id } = await api.newJob({ ...fields, callback_url });
            assert.ok(!(await rows()).some((row) => row.id === id)
                || (await api.readJob(id)).completed_at !== null, 'not before the end');
            ends.push(await api.jobEnd(id));
            assert.ok((await rows()).some((row) => row.id === id), 'with the end');
            ends.push(await api.jobEnd((await api.newJob(fields)).id));
        }
        assert.deepEqual(ends.map(({ status }) => status),
            ['completed', 'completed', 'failed', 'failed']);
    } finally {
        await server.stop();
    }
    const late = await startServer({ db: file, args: ['--queue-time', '1h'] });
    try {
        const again = studio(late);
        for (const fields of [{ callback_url }, {}, { callback_headers: { A: 'b' } }]) {
            const { id } = await again.newJob(fields);
            assert.equal((await again.cancelJob(id)).status, 200);
            assert.equal((await again.cancelJob(id)).status, 400);
        }
        await again.newJob({ callback_url }); // has not ended
    } finally {
        await late.stop();
    }
    const counts = await sql(file, 'SELECT job.status, callback_url IS NOT NULL AS asked,'
        + ' count(delivery.seq) AS owed, delivery.created_at = completed_at AS dated'
        + ' FROM job LEFT JOIN delivery ON delivery.job = job.seq GROUP BY job.seq ORDER BY job.seq');
    const owed = (status) => ({ status, asked: 1, owed: 1, dated: 1 });
    const none = (status, asked = 0) => ({ status, asked, owed: 0, dated: null });
    assert.deepEqual(counts, [owed(COMPLETED), none(COMPLETED), owed(FAILED), none(FAILED),
        owed(CANCELLED), none(CANCELLED), none(CANCELLED), none(QUEUED, 1)]);
});

test('S25: a session\'s job owes no callback', async (t) => {
    const { api, query } = await withStore(t, ['--queue-time', '0ms', '--processing-time', '0ms']);
    const session = (await api.createSession({ ...job(), callback_url: 'http://127.0.0.1:9/' })).body;
    await api.page(`/chat/${session.id}`);
    await until(async () => (await query('SELECT status FROM job'))[0]?.status === COMPLETED);
    assert.deepEqual(await query('SELECT * FROM delivery'), []);
});
