// The wall clock is moved: a day to and fro, to 2038, to 1970; while the server runs, and while it does not.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { request, scenarios, sql, studio, temporaryDirectory, until } from '../api/client.mjs';
import { receive } from '../api/receiver.mjs';
import { makeFaults } from '../support/faults.mjs';
import { startServer } from '../support/server.mjs';

const DAY_MS = 86_400_000;
const JOB_MS = 300; // 100 queued and 200 processing
const SLACK_MS = 5000; // of a busy machine; a timer that goes by the wall is off by a day
const PLACES = {
    'a day on': () => DAY_MS,
    'a day back': () => -DAY_MS,
    'the end of 32 bits': () => Date.UTC(2038, 0, 19, 3, 14, 7) - Date.now(), // passes it while jobs run
    1970: () => 1000 - Date.now(),
    here: () => 0,
};

async function assertInOrder(db) {
    const wrong = await sql(db, 'SELECT id, created_at, started_at, completed_at FROM job WHERE started_at < created_at'
        + ' OR completed_at < created_at OR completed_at < started_at');
    assert.deepEqual(wrong, []);
    assert.deepEqual(await sql(db, 'SELECT id FROM project_scenario WHERE updated_at < created_at'), []);
    return (await sql(db, 'SELECT count(*) AS n FROM job WHERE status >= 2'))[0].n;
}

/** Timers, waits and callbacks take as long as they should, whatever the wall clock shows. */
async function assertSteady(server, receiver, project) {
    const api = studio(server);
    const came = receiver.requests.length;
    const from = performance.now();
    const jobs = await Promise.all(Array.from({ length: 8 }, () => api.newJob({ callback_url: receiver.url })));
    const cancelled = await api.newJob();
    assert.equal((await api.cancelJob(cancelled.id)).status, 200);
    for (const { id } of jobs) {
        const { status, duration_seconds: seconds } = await api.jobEnd(id);
        assert.deepEqual([status, seconds], ['completed', 0.2]);
    }
    const took = performance.now() - from;
    assert.ok(took >= JOB_MS && took < JOB_MS + SLACK_MS, `${took} ms`);
    await receiver.came(came + jobs.length);
    const begun = performance.now();
    const waited = await request(server, 'GET', '/_mock/requests?min=1&wait=200ms&email=never');
    assert.equal(waited.status, 409, waited.text);
    const ms = performance.now() - begun;
    assert.ok(ms >= 190 && ms < SLACK_MS, `a wait of 200 ms took ${ms}`);
    const { body } = await project.create({ name: `s${performance.now()}` });
    const updated = (await project.update(body.id, { instructions: 'x' })).body;
    assert.ok(updated.updatedAt >= updated.createdAt, JSON.stringify(updated));
}

test('S20, E4: the wall clock moves under the server: timers are steady, times in order', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    const faults = makeFaults(t, directory);
    const receiver = await receive(t);
    const server = await startServer({ db, env: faults.env, args: ['--queue-time', '100ms', '--processing-time', '200ms'] });
    t.after(() => server.kill('SIGKILL'));
    for (const [name, offset] of Object.entries(PLACES)) {
        const before = await Promise.all([1, 2, 3].map(() => studio(server).newJob())); // across the step
        faults.set({ wallMs: offset() });
        await assertSteady(server, receiver, scenarios(server));
        for (const { id } of before) assert.equal((await studio(server).jobEnd(id)).status, 'completed', name);
    }
    await server.stop();
    t.diagnostic(`${await assertInOrder(db)} jobs, ${Object.keys(PLACES).length} steps, 0 violations`);
});

test('S20: the wall clock moves between two starts: what is there ends in order, what is new is steady', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    const receiver = await receive(t);
    const short = ['--queue-time', '100ms', '--processing-time', '200ms'];
    for (const offset of Object.values(PLACES)) {
        const faults = makeFaults(t, directory, { wallMs: offset() });
        const server = await startServer({ db, env: faults.env, args: short });
        t.after(() => server.kill('SIGKILL'));
        await assertSteady(server, receiver, scenarios(server));
        const open = await sql(db, 'SELECT id FROM job WHERE status < 2'); // of starts at other times
        for (const { id } of open) {
            const answer = await studio(server).cancelJob(id);
            assert.ok([200, 400].includes(answer.status), answer.text);
            const { created_at: created, started_at: started, completed_at: completed } = (await studio(server).getJob(id)).body;
            assert.ok(created <= completed && (!started || (created <= started && started <= completed)), `${created} ${started} ${completed}`);
        }
        const left = await Promise.all(Array.from({ length: 6 }, () => studio(server).newJob()));
        await until(async () => (await studio(server).getJob(left[0].id)).body.status === 'processing');
        left.push(await studio(server).newJob()); // one is queued, the others are under way
        await server.kill('SIGKILL');
    }
    t.diagnostic(`${await assertInOrder(db)} jobs, ${Object.keys(PLACES).length} starts, 0 violations`);
});
