// What a restart keeps, and what it makes up for.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { DEFAULT_KEY, inParallel, job, makeKey, request, scenarios, serve, sql, studio,
    temporaryDirectory, until } from '../api/client.mjs';
import { startServer } from '../support/server.mjs';

const SIDE_KEY = makeKey('Side0');
const HOST = { Host: 'restart.test' }; // so that urls do not have the port, which changes
const QUICK = ['--queue-time', '0ms', '--processing-time', '1ms'];
const COMPLETED = 2;

/** A store's path, in a directory that goes with the test. */
const newStore = async (t) => path.join(await temporaryDirectory(t), 'store.db');

const ENDS = {
    'kill -9': (server) => server.kill('SIGKILL'),
    SIGTERM: (server) => server.stop(),
    SIGINT: async (server) => assert.equal((await server.kill('SIGINT')).code, 0),
};

/** Makes objects of every kind and state; resolves to the addresses that show them. */
async function populate(server) {
    const addresses = [];
    for (const [key, prefix] of [[undefined, ''], [SIDE_KEY, '/w/side']]) {
        const api = studio(server, key ? { key } : {});
        const options = { headers: HOST };
        const show = (id) => addresses.push([`/rest/v1/scenario-studio/jobs/${id}`, key]);
        const { id, scenario } = await api.jobEnd((await api.newJob({ request_id: 'r',
            callback_url: 'http://127.0.0.1:9/' }, options)).id);
        const remix = await api.jobEnd((await api.newJob({ scenario_slug: scenario.slug }, options)).id);
        const failed = await api.jobEnd((await api.newJob({ prompt: '?!' }, options)).id);
        [id, remix.id, failed.id].forEach(show);
        for (const { slug } of [scenario, remix.scenario]) addresses.push([`${prefix}/scenarios/${slug}`]);
        const session = (await api.createSession(job({ request_id: 'r' }), options)).body;
        addresses.push([`${prefix}/chat/${session.id}`]);
        const page = await api.page(`${prefix}/chat/${session.id}`);
        const started = /<dt>Job<\/dt><dd><code>(?:<bdi>)?([0-9a-f]{12})/.exec(page.text)[1];
        await api.jobEnd(started);
        show(started);

        const project = scenarios(server, { prefix });
        for (const name of ['first', 'second', 'third'])
            assert.equal((await project.create({ name, messages: [{ role: 'user', content: [1.5, null] }],
                evaluators: [{ a: { b: 1e300 } }], personaIds: ['x'], maxMessages: 3 })).status, 201);
        const list = (await project.list()).body;
        await project.update(list[1].id, { instructions: 'changed \ud83d\ude00' });
        await project.remove(list[2].id);
        for (const one of list) addresses.push([`${prefix}/api/projects/default/scenarios/${one.id}`]);
        addresses.push([`${prefix}/api/projects/default/scenarios`]);
    }
    return addresses;
}

/** What every address answers. */
function look(server, addresses) {
    return Promise.all(addresses.map(async ([address, key]) => {
        const { status, text } = await request(server, 'GET', address,
            { headers: { ...HOST, Authorization: `Bearer ${key ?? DEFAULT_KEY}` } });
        return `${address} ${status} ${text}`;
    }));
}

for (const durability of ['power', 'process']) {
    for (const [name, end] of Object.entries(ENDS)) {
        test(`S15, S13, S24, E1, E3: the same answers before and after ${name} (--durability ${durability})`,
            async (t) => {
                const db = await newStore(t);
                const args = [...QUICK, '--durability', durability, '--api-key', `${SIDE_KEY}=side`,
                    '--member', 'jane@acme.com=side'];
                const first = await startServer({ db, args });
                const addresses = await populate(first);
                const before = await look(first, addresses);
                assert.ok(before.length > 20);
                await end(first);

                const second = await serve(t, { db, args: ['--durability', durability] });
                assert.deepEqual(await look(second, addresses), before);
                const api = studio(second);
                const again = await api.createJob(job({ request_id: 'r' }));
                assert.deepEqual([again.status, again.body.is_new], [200, false], 'S12: remembered');
                assert.equal((await api.createSession(job({ request_id: 'r' }))).body.is_new, false);
                const { scenario } = await api.jobEnd((await api.newJob()).id);
                assert.equal(scenario.slug, 'renewal-call-4', 'S24: slugs go on');
            });
    }
}

test('S15: jobs in every state survive kill -9 and can go on', async (t) => {
    const db = await newStore(t);
    const first = await startServer({ db,
        args: ['--queue-time', '0ms', '--processing-time', '1h', '--max-processing', '1'] });
    const [processing, waiting, gone] = [await studio(first).newJob(), await studio(first).newJob(),
        await studio(first).newJob()];
    await studio(first).jobIn(processing.id, 'processing');
    await studio(first).cancelJob(gone.id);
    const ids = [processing.id, waiting.id, gone.id];
    const texts = (server) => Promise.all(ids.map(async (id) => (await studio(server).getJob(id)).text));
    const before = await texts(first);
    await first.kill();

    const second = await serve(t, { db, args: ['--max-processing', '1'] });
    const api = studio(second);
    assert.deepEqual(await texts(second), before);
    assert.equal((await api.cancelJob(processing.id)).status, 200);
    assert.equal((await api.readJob(waiting.id)).status, 'processing', 'the place is taken');
    assert.equal((await api.cancelJob(gone.id)).status, 400);
});

test('S20, S22: a job resumes from its stored due times, not from new settings', async (t) => {
    const db = await newStore(t);
    const first = await startServer({ db, args: ['--queue-time', '300ms', '--processing-time', '200ms'] });
    const { id } = await studio(first).newJob();
    await first.kill();
    const second = await serve(t, { db, args: ['--queue-time', '1h', '--processing-time', '1h'] });
    await studio(second).jobEnd(id);
    const [row] = await sql(db, 'SELECT created_at, started_at, completed_at FROM job');
    assert.equal(row.started_at, row.created_at + 300);
    assert.equal(row.completed_at, row.started_at + 200);
});

/** When jobs begin that are due in this order, with so many places (0: no limit). */
function schedule(rows, queue, process, places) {
    const free = Array(places || rows.length).fill(0);
    return rows.map(({ created_at: created }) => {
        free.sort((a, b) => a - b);
        const start = Math.max(created + queue, free[0]);
        free[0] = start + process;
        return [start, start + process];
    });
}

for (const places of [0, 1, 3]) {
    for (const [name, end] of Object.entries(ENDS).slice(0, 2)) {
        test(`S20, S22: what fell due while the server was down ended at the start, with the times it`
            + ` would have had (--max-processing ${places}, ${name})`, async (t) => {
            const QUEUE = 400;
            const PROCESS = 150;
            const db = await newStore(t);
            const args = ['--queue-time', `${QUEUE}ms`, '--processing-time', `${PROCESS}ms`,
                '--max-processing', String(places)];
            const first = await startServer({ db, args });
            const jobs = await inParallel(4, Array.from({ length: 40 }), (_, i) =>
                studio(first).newJob({ prompt: i % 4 ? 'A call' : '?!',
                    callback_url: 'http://127.0.0.1:9/' }));
            await end(first);
            // Ten minutes pass: everything in the store lies so much further back.
            await sql(db, 'UPDATE job SET created_at = created_at - 600000,'
                + ' started_at = started_at - 600000, completed_at = completed_at - 600000,'
                + ' due_at = due_at - 600000; UPDATE delivery SET created_at = created_at - 600000',
            { write: true });

            const second = await serve(t, { db, args });
            const states = await inParallel(8, jobs, async ({ id }) => (await studio(second).readJob(id)));
            for (const { status } of states) assert.match(status, /completed|failed/);
            const rows = await sql(db, 'SELECT created_at, started_at, completed_at, due_at, id'
                + ' FROM job ORDER BY seq');
            assert.deepEqual(rows.map((row) => [row.started_at, row.completed_at]),
                schedule(rows, QUEUE, PROCESS, places));
            for (const state of states) assert.equal(state.duration_seconds, PROCESS / 1000);
            const deliveries = await sql(db, 'SELECT count(*) AS owed, count(DISTINCT job) AS jobs,'
                + ' sum(delivery.created_at = job.completed_at) AS dated'
                + ' FROM delivery JOIN job ON job.seq = delivery.job');
            assert.deepEqual(deliveries, [{ owed: 40, jobs: 40, dated: 40 }]);
        });
    }
}

test('S20, S22: a start that catches up with many jobs leaves none behind, in every workspace', async (t) => {
    const db = await newStore(t);
    const args = ['--queue-time', '1h', '--processing-time', '1ms', '--api-key', `${SIDE_KEY}=side`,
        '--member', 'jane@acme.com=side'];
    const first = await startServer({ db, args });
    for (const key of [undefined, SIDE_KEY])
        await inParallel(16, Array.from({ length: 700 }), () =>
            studio(first, key ? { key } : {}).newJob());
    await first.kill();
    await sql(db, 'UPDATE job SET due_at = due_at - 7200000, created_at = created_at - 7200000', { write: true });
    const second = await serve(t, { db, args });
    assert.deepEqual(await sql(db, 'SELECT status, count(*) AS count, min(completed_at - started_at) AS took'
        + ' FROM job GROUP BY status'), [{ status: COMPLETED, count: 1400, took: 1 }]);
    assert.equal((await request(second, 'GET', '/scenarios/renewal-call-700')).status, 200);
    assert.equal((await request(second, 'GET', '/w/side/scenarios/renewal-call-700')).status, 200);
});

test('a second server on a store that is held leaves it alone', async (t) => {
    const db = await newStore(t);
    const first = await serve(t, { db });
    await assert.rejects(startServer({ db }), /another server, process \d+, holds/);
    assert.equal((await studio(first).createJob(job())).status, 201);
});

const privateOnes = async (directory) =>
    (await readdir(directory)).filter((name) => name.startsWith('understudy-'));

test(':memory: is a private directory under TMPDIR, gone at the exit', async (t) => {
    const TMPDIR = await temporaryDirectory(t);
    const server = await startServer({ env: { TMPDIR } });
    const [name, ...others] = await privateOnes(TMPDIR);
    assert.deepEqual(others, []);
    assert.ok(existsSync(path.join(TMPDIR, name)));
    await studio(server).newJob();
    await server.stop();
    assert.deepEqual(await readdir(TMPDIR), []);
});

test(':memory:: what a killed server left goes at the next start, what others have stays', async (t) => {
    const TMPDIR = await temporaryDirectory(t);
    const alive = await serve(t, { env: { TMPDIR } });
    const [its] = await privateOnes(TMPDIR);
    const killed = await startServer({ env: { TMPDIR } });
    await studio(killed).newJob();
    const left = (await privateOnes(TMPDIR)).find((name) => name !== its);
    await killed.kill();
    assert.ok((await privateOnes(TMPDIR)).includes(left));
    await mkdir(path.join(TMPDIR, 'somebody-elses'));
    await writeFile(path.join(TMPDIR, 'somebody-elses', 'store.db'), 'x');

    const next = await serve(t, { env: { TMPDIR } });
    const names = await privateOnes(TMPDIR);
    assert.ok(!names.includes(left), 'swept');
    assert.ok(names.includes(its) && names.length === 2);
    assert.ok(existsSync(path.join(TMPDIR, 'somebody-elses', 'store.db')));
    assert.equal((await studio(alive).createJob(job())).status, 201, 'the live one still works');
    assert.equal((await studio(next).createJob(job())).status, 201);
    await rm(path.join(TMPDIR, 'somebody-elses'), { recursive: true });
});

test(':memory:: nothing outlives a restart', async (t) => {
    const TMPDIR = await temporaryDirectory(t);
    const first = await startServer({ env: { TMPDIR } });
    const { id } = await studio(first).newJob();
    await first.kill();
    const second = await serve(t, { env: { TMPDIR } });
    assert.equal((await studio(second).getJob(id)).status, 404);
});

test(':memory:: servers that start at once do not sweep each other', async (t) => {
    const TMPDIR = await temporaryDirectory(t);
    for (let round = 0; round < 6; round += 1) {
        const started = await Promise.allSettled(Array.from({ length: 12 }, () =>
            startServer({ env: { TMPDIR } })));
        const servers = started.flatMap(({ value }) => value ?? []);
        try {
            for (const { reason } of started) assert.equal(reason, undefined);
            for (const server of servers)
                assert.equal((await studio(server).createJob(job())).status, 201);
        } finally {
            await Promise.all(servers.map((server) => server.stop()));
        }
    }
    assert.deepEqual(await readdir(TMPDIR), []);
});

test('S22: the worker goes on by itself after a restart', async (t) => {
    const db = await newStore(t);
    const first = await startServer({ db, args: ['--queue-time', '0ms', '--processing-time', '700ms'] });
    const { id } = await studio(first).newJob();
    await studio(first).jobIn(id, ['processing', 'completed']);
    await first.kill();
    await serve(t, { db });
    // Read from the file, so that no request wakes the server.
    await until(async () => (await sql(db, 'SELECT status FROM job'))[0].status === COMPLETED);
});
