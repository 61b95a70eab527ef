// Waiting, without a thread and without a poll: C5, C9, C10; POST /_mock/wait.

import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';

import { afterwards, inParallel, scenarios, serve, studio, until } from './client.mjs';
import { startServer } from '../support/server.mjs';
import { assertProblem, control } from './control.mjs';
import { planned, START } from './planned.mjs';

async function place(server, body = {}) {
    const made = await control(server).make({ members: ['*@acme.com'],
        settings: { queue_time: '1h' }, ...body });
    const prefix = `/w/${made.slug}`;
    return { made, prefix, mock: control(server, { prefix }),
        api: studio(server, { key: made.api_key, prefix }) };
}

const move = (mock, id, to) =>
    mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to } });
const settle = (mock, body) => mock.send('POST', '/wait', { body: { until: 'settled', ...body } });

const LARGE = 16; // scenarios of a megabyte: more than a connection's buffers hold

/** A request that is not answered as long as nobody reads its socket. */
async function begin(t, server, { made, mock }) {
    await inParallel(4, Array.from({ length: LARGE }), (_, n) => scenarios(server, { project: made.project_id })
        .create({ name: `n${n}`, instructions: 'x'.repeat(1_000_000) }));
    const socket = net.connect(server.port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(`GET /api/projects/${made.project_id}/scenarios HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(async () => /request is not answered yet/.test((await settle(mock, { min_requests: LARGE + 1 })).body.detail));
    return socket;
}

/** Holds when the promise is still open after the server has answered something else. */
async function isOpen(promise, server) {
    const open = Symbol('open');
    await control(server).must(200, 'GET', '/info');
    return await Promise.race([promise, Promise.resolve(open)]) === open;
}

/* -- one job ----------------------------------------------------------------------------------- */

test('C9: a job that has reached it already, on its way or as its end', async (t) => {
    const { mock, api } = await place(await serve(t));
    const until = (id, goal) => mock.send('GET', `/jobs/${id}?until=${goal}&wait=5m`);
    const { id } = await api.newJob();
    await move(mock, id, 'processing');
    assert.equal((await until(id, 'processing')).body.status, 'processing');
    await move(mock, id, 'completed');
    for (const goal of ['processing', 'completed', 'terminal'])
        assert.equal((await until(id, goal)).body.status, 'completed', goal);
    const other = await api.newJob();
    await move(mock, other.id, 'processing');
    await move(mock, other.id, 'cancelled');
    for (const goal of ['processing', 'cancelled', 'terminal'])
        assert.equal((await until(other.id, goal)).status, 200, goal);
});

test('C9: a job that reaches it later, however it does', async (t) => {
    const { mock, api, jobs } = await planned(t,
        [{ queued: 20, processing: 20 }, {}, {}, {}, { polls: { queued: 0, processing: 0 } },
            { hold: 'queued', queued: 0 }], { mode: 'real' });
    const [timed, moved, cancelled, failed, polled, held] = jobs;
    const wait = (id, goal) => mock.must(200, 'GET', `/jobs/${id}?until=${goal}&wait=60s`);
    const waits = [wait(timed, 'completed'), wait(moved, 'processing'), wait(cancelled, 'cancelled'),
        wait(failed, 'terminal'), wait(polled, 'completed'), wait(held, 'processing')];
    await move(mock, moved, 'processing');
    await api.cancelJob(cancelled);
    await move(mock, failed, 'failed');
    await api.readJob(polled);
    await mock.must(200, 'POST', `/jobs/${held}/release`);
    const seen = await Promise.all(waits);
    assert.deepEqual(seen.slice(0, 5).map(({ status }) => status),
        ['completed', 'processing', 'cancelled', 'failed', 'completed']);
    assert.notEqual(seen[5].started_at, null);
});

test('C5: what can no longer come true is 409 at once', async (t) => {
    const { mock, api } = await place(await serve(t));
    const never = { completed: ['failed', 'cancelled'], failed: ['completed', 'cancelled'],
        cancelled: ['processing', 'completed', 'failed'] };
    for (const [end, goals] of Object.entries(never)) {
        const { id } = await api.newJob();
        const waiting = mock.send('GET', `/jobs/${id}?until=${goals[0]}&wait=5m`);
        await move(mock, id, end);
        const told = end === 'failed' ? ' \\(GENERATION_ERROR: [^)]*\\)' : '';
        const detail = (goal) => new RegExp(`^The job is ${end} since [0-9TZ:.-]+${told} and cannot `
            + `become ${goal} any more$`);
        assertProblem(await waiting, 409, 'wait_impossible', detail(goals[0]));
        for (const goal of goals)
            assertProblem(await mock.send('GET', `/jobs/${id}?until=${goal}&wait=5m`), 409,
                'wait_impossible', detail(goal));
    }
    assertProblem(await mock.send('GET', '/jobs/000000000000?until=terminal&wait=5m'), 404,
        'job_not_found');
});

test('C5: why it did not happen', async (t) => {
    const { mock, api, jobs } = await planned(t, [{ queued: 40_000, body: { prompt: 'first' } },
        { hold: 'queued' }, { polls: { queued: 1 } }]);
    const told = async (target, type = 'wait_expired') => {
        const answer = await mock.send('GET', target);
        assertProblem(answer, 409, type);
        return answer.body.detail;
    };
    const [timed, held, polled] = jobs;
    const clock = 'the clock is manual, next event in 40s: POST /_mock/clock/advance';
    assert.equal(await told(`/jobs/${timed}?until=terminal&wait=20ms`),
        `The job is queued; ${clock}`);
    assert.equal(await told(`/jobs/${timed}?until=terminal`, 'not_so'), `The job is queued; ${clock}`);
    assert.equal(await told(`/jobs/${held}?until=terminal&wait=20ms`),
        `The job is queued and held there: POST /_mock/jobs/${held}/release`);
    assert.equal(await told(`/jobs/${polled}?until=terminal&wait=20ms`),
        `The job is queued and moved by reads: GET /rest/v1/scenario-studio/jobs/${polled}`);
    assert.equal(await told('/jobs?prompt=first&min=2&wait=20ms'),
        '1 of the 2 jobs that were asked for are there; 2 others do not fit');
    assert.equal(await told('/jobs?status=completed&wait=20ms'),
        `0 of the 1 jobs that were asked for are there; 3 others do not fit; ${clock}`);
    assert.equal(await told('/jobs?min=4', 'not_so'),
        '3 of the 4 jobs that were asked for are there; 0 others do not fit');
    const quiet = async (body) => {
        const answer = await settle(mock, body);
        assertProblem(answer, 409, body.wait ? 'wait_expired' : 'not_so');
        return answer.body.detail;
    };
    assert.equal(await quiet({ wait: '20ms' }), `1 job is unfinished, ${clock}`);
    await api.send('HEAD', `/scenario-studio/jobs/${timed}`);
    assert.equal(await quiet({ min_requests: 3 }),
        `1 of 3 requests came; 1 job is unfinished, ${clock}`);

    await api.newJob();
    assert.equal(await quiet({ wait: '20ms' }), `2 jobs are unfinished, ${clock.replace('40s', '500ms')}`);
});

test('C5: a job that waits for a place', async (t) => {
    const settings = { max_processing: 1 };
    const { mock, jobs: [first, second] } = await planned(t, [{ queued: 0 }, { queued: 0 }],
        { workspace: { settings } });
    await mock.must(200, 'GET', `/jobs/${first}?until=processing&wait=60s`);
    assertProblem(await mock.send('GET', `/jobs/${second}?until=processing&wait=20ms`), 409,
        'wait_expired', new RegExp('^The job is queued and waits for a place \\(max_processing\\); '
            + 'the clock is manual, next event in 5m: POST /_mock/clock/advance$'));
});

test('C5: other clocks tell when', async (t) => {
    for (const mode of ['real', 'auto']) {
        const { mock, jobs: [id] } = await planned(t, [{ hold: 'queued' }], { mode });
        const answer = await mock.send('GET', '/jobs?status=failed&wait=20ms');
        assertProblem(answer, 409, 'wait_expired', new RegExp(`the clock is ${mode}, nothing is due$`));
        assert.equal((await mock.must(200, 'GET', `/jobs/${id}`)).status, 'queued');
    }
    const { mock, api } = await place(await serve(t));
    await api.newJob();
    assertProblem(await settle(mock, { wait: '20ms' }), 409, 'wait_expired',
        /^1 job is unfinished, the clock is real, next event in (1h|[0-9]+s)$/);
});

/* -- lists ------------------------------------------------------------------------------------- */

test('C9: without since what is there counts, with it what comes', async (t) => {
    const server = await serve(t);
    const { mock, api } = await place(server);
    const first = await api.newJob();
    const { items, cursor } = await mock.must(200, 'GET', '/jobs?min=1&wait=5m');
    assert.deepEqual(items.map(({ id }) => id), [first.id]);
    const one = mock.must(200, 'GET', `/jobs?since=${cursor}&wait=60s`);
    const two = mock.must(200, 'GET', `/jobs?since=${cursor}&min=2&wait=60s`);
    const fits = mock.must(200, 'GET', `/jobs?since=${cursor}&prompt=second&wait=60s`);
    const ended = mock.must(200, 'GET', '/jobs?status=failed&min=2&wait=60s');
    for (const each of [one, two, fits, ended]) assert.ok(await isOpen(each, server));
    const next = await api.newJob();
    assert.deepEqual((await one).items.map(({ id }) => id), [next.id]);
    for (const each of [two, fits, ended]) assert.ok(await isOpen(each, server));
    const second = await api.newJob({ prompt: 'The second one' });
    assert.deepEqual((await two).items.map(({ id }) => id), [next.id, second.id]);
    assert.deepEqual((await fits).items.map(({ id }) => id), [second.id]);
    await move(mock, first.id, 'failed');
    assert.ok(await isOpen(ended, server));
    await move(mock, second.id, 'failed');
    assert.deepEqual((await ended).items.map(({ id }) => id), [first.id, second.id]);
});

test('C9: 200 waits and one event; another workspace\'s events wake nobody', async (t) => {
    const server = await serve(t);
    const here = await place(server);
    const there = await place(server);
    const { id } = await here.api.newJob();
    const waits = Array.from({ length: 200 }, (_, index) => (index % 2
        ? here.mock.must(200, 'GET', `/jobs/${id}?until=failed&wait=60s`)
        : here.mock.must(200, 'GET', '/jobs?status=failed&wait=60s')));
    const other = await there.api.newJob();
    await move(there.mock, other.id, 'failed');
    for (const each of waits.slice(0, 4)) assert.ok(await isOpen(each, server));
    await move(here.mock, id, 'failed');
    for (const [index, body] of (await Promise.all(waits)).entries())
        assert.equal((index % 2 ? body : body.items[0]).id, id);
});

test('C9: no event falls between the look and the sleep', async (t) => {
    const server = await serve(t);
    const { mock, api } = await place(server);
    const agent = new http.Agent({ keepAlive: true });
    afterwards(t, async () => agent.destroy());
    let { cursor } = await mock.must(200, 'GET', '/jobs');
    // Requests that come in at about the time of the event, before and after it.
    const around = async (target, happen) => {
        const ask = () => mock.must(200, 'GET', target, { agent });
        const before = Array.from({ length: 15 }, ask);
        const happening = happen();
        const after = Array.from({ length: 15 }, ask);
        return [await happening, await Promise.all([...before, ...after])];
    };
    for (let i = 0; i < 40; i++) {
        const [made, lists] = await around(`/jobs?since=${cursor}&wait=60s`, () => api.newJob());
        for (const { items } of lists) assert.deepEqual(items.map(({ id }) => id), [made.id]);
        const [, seen] = await around(`/jobs/${made.id}?until=processing&wait=60s`,
            () => move(mock, made.id, 'processing'));
        for (const { status } of seen) assert.equal(status, 'processing');
        ({ cursor } = lists[0]);
    }
});

/* -- how a wait ends otherwise ----------------------------------------------------------------- */

test('C9: the workspace goes, and so do its waits', async (t) => {
    const server = await serve(t);
    const { made, mock, api } = await place(server);
    const { id } = await api.newJob();
    const waits = [mock.send('GET', `/jobs/${id}?until=failed&wait=5m`),
        mock.send('GET', '/jobs?min=2&wait=5m'), settle(mock, { wait: '5m' })];
    for (const each of waits) assert.ok(await isOpen(each, server));
    await control(server).remove(made.slug);
    for (const each of await Promise.all(waits))
        assertProblem(each, 409, 'workspace_deleted', /was deleted while this request waited/);
});

test('C9: nor is what went with it taken for unknown by who looks at that moment', async (t) => {
    const server = await serve(t);
    const { mock, api } = await place(server);
    for (let i = 0; i < 60; i++) {
        const [{ id }, { id: other }] = [await api.newJob(), await api.newJob()];
        const waits = Array.from({ length: 10 }, () => mock.send('GET', `/jobs/${id}?until=failed&wait=5m`));
        for (const each of waits) assert.ok(await isOpen(each, server));
        const moves = Array.from({ length: 6 }, () =>
            mock.send('POST', `/jobs/${other}/transition`, { body: { to: 'processing' } }));
        await Promise.all([...moves, mock.must(200, 'POST', '/reset', { body: {} })]);
        for (const each of await Promise.all(waits)) assertProblem(each, 409, 'workspace_reset');
    }
});

test('C9: the server stops: 503 for each, and exit code 0', async () => {
    const server = await startServer();
    const { mock, api } = await place(server);
    const { id } = await api.newJob();
    const waits = [];
    for (let i = 0; i < 30; i++)
        waits.push(mock.send('GET', `/jobs/${id}?until=failed&wait=5m`),
            mock.send('GET', '/jobs?min=2&wait=5m'), settle(mock, { wait: '5m' }));
    for (const each of waits.slice(0, 3)) assert.ok(await isOpen(each, server));
    const begun = Date.now();
    await server.stop(); // rejects unless its exit code is 0
    assert.ok(Date.now() - begun < 25_000, 'nobody was waited for');
    for (const each of await Promise.all(waits)) {
        assertProblem(each, 503, 'stopping');
        assert.equal(each.headers['retry-after'], '1');
    }
});

test('C10: the ttl stands still while a request waits, and runs from its end', async (t) => {
    const server = await serve(t);
    const { made, mock, api } = await place(server, { ttl: '1s' });
    // Deleted, it would end with another answer, and before its time.
    assertProblem(await mock.send('GET', '/jobs?min=1&wait=3s'), 409, 'wait_expired');
    await api.newJob();
    assert.equal((await mock.send('GET', '/jobs?min=2&wait=2s')).body.type,
        'urn:understudy:wait_expired');
    const watcher = control(server);
    for (const end = Date.now() + 30_000; ;) {
        const { items } = await watcher.must(200, 'GET', '/workspaces');
        if (!items.some(({ slug }) => slug === made.slug)) break;
        assert.ok(Date.now() < end, 'it stays');
        await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
});

test('C9: a client that leaves while it waits takes nothing with it', async (t) => {
    const server = await serve(t);
    const { made, mock, api } = await place(server);
    const { id } = await api.newJob();
    const path = `/w/${made.slug}/_mock/jobs/${id}?until=failed&wait=5m`;
    await inParallel(50, Array.from({ length: 50 }), () => new Promise((resolve, reject) => {
        const socket = net.connect(server.port, '127.0.0.1');
        socket.on('error', reject);
        socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`, () => {
            socket.destroy();
            resolve();
        });
    }));
    const stays = mock.must(200, 'GET', `/jobs/${id}?until=failed&wait=60s`);
    assert.ok(await isOpen(stays, server));
    await move(mock, id, 'failed');
    assert.equal((await stays).status, 'failed');
    const ended = await settle(mock, { wait: '60s' });
    assert.equal(ended.status, 200, ended.text);
});

test('C9: HEAD waits as GET does', async (t) => {
    const { mock, api } = await place(await serve(t));
    const waiting = mock.send('HEAD', '/jobs?wait=60s');
    await api.newJob();
    const { status, text } = await waiting;
    assert.equal(`${status} ${text}`, '200 ');
});

/* -- quiet ------------------------------------------------------------------------------------- */

test('settled: no job that time moves; held and polled ones aside', async (t) => {
    const { server, mock, api, jobs } = await planned(t,
        [{ queued: 20, processing: 50 }, { hold: 'queued' }, { polls: { queued: 1 } },
            { hold: 'processing', queued: 0 }], { mode: 'real' });
    const quiet = await settle(mock, { wait: '60s' });
    assert.equal(quiet.status, 200, quiet.text);
    assert.deepEqual(quiet.body, { settled: true, requests: 0, held_jobs: 3,
        cursor: quiet.body.cursor });
    assert.equal((await mock.must(200, 'GET', `/jobs/${jobs[0]}`)).status, 'completed');
    const made = await api.newJob();
    const open = settle(mock, { wait: '60s' });
    assert.ok(await isOpen(open, server));
    await move(mock, made.id, 'failed');
    assert.equal((await open).body.held_jobs, 3);
});

test('settled: so many requests first, with a cursor those after it', async (t) => {
    const server = await serve(t);
    const { mock, api } = await place(server);
    await api.getJob('000000000000');
    assert.equal((await settle(mock, { min_requests: 1, wait: '10s' })).status, 200, 'what was there counts');
    const { cursor } = await mock.must(200, 'GET', '/jobs');
    const open = settle(mock, { since: cursor, min_requests: 2, wait: '60s' });
    assert.ok(await isOpen(open, server));
    await api.getJob('000000000000');
    assert.ok(await isOpen(open, server), 'one of two');
    await api.getJob('000000000000');
    const { status, body } = await open;
    assert.equal(status, 200);
    assert.equal(body.requests, 2);
    assert.equal((await settle(mock, { since: body.cursor })).body.requests, 0);
    assertProblem(await settle(mock, { since: body.cursor, min_requests: 1, wait: '20ms' }), 409,
        'wait_expired', /^0 of 1 requests came$/);
});

test('settled: not while a request is under way', async (t) => {
    const server = await serve(t);
    const own = await place(server);
    const { made, mock } = own;
    const socket = await begin(t, server, own);
    assertProblem(await settle(mock, { wait: '20ms' }), 409, 'wait_expired', /^1 request is not answered yet$/);
    const open = settle(mock, { wait: '60s' });
    assert.ok(await isOpen(open, server));
    socket.resume();
    assert.equal((await open).status, 200);
    // One that has not come whole has not begun.
    const half = net.connect(server.port, '127.0.0.1');
    t.after(() => half.destroy());
    half.write(`POST /rest/v1/scenario-studio/jobs HTTP/1.1\r\nHost: localhost\r\n`
        + `Authorization: Bearer ${made.api_key}\r\nContent-Length: 10\r\n\r\n1`);
    await until(() => half.bytesWritten > 0);
    assert.equal((await settle(mock)).status, 200);
});

test('C2: what a wait may not say', async (t) => {
    const { mock } = await place(await serve(t));
    const wrong = [[{}, 'missing_field'], [{ until: 'quiet' }], [{ until: 5 }],
        [{ until: 'settled', wait: '6m' }], [{ until: 'settled', wait: 5 }],
        [{ until: 'settled', wait: '5' }], [{ until: 'settled', min_requests: 0 }],
        [{ until: 'settled', min_requests: '1' }], [{ until: 'settled', min_requests: 1.5 }],
        [{ until: 'settled', since: 'x' }], [{ until: 'settled', since: '0.1' }],
        [{ until: 'settled', min_request: 1 }, 'unknown_field']];
    for (const [body, type = 'invalid_field'] of wrong)
        assertProblem(await mock.send('POST', '/wait', { body }), 422, type);
});

/* -- an auto clock ----------------------------------------------------------------------------- */

test('auto: a blocked wait jumps to what is due, and no further than it needs', async (t) => {
    const { mock, jobs: [id, other] } = await planned(t, [{}, { queued: 10_000, processing: 7_200_000 }],
        { mode: 'auto' });
    const begun = Date.now();
    const started = await mock.must(200, 'GET', `/jobs/${id}?until=processing&wait=60s`);
    assert.equal(Date.parse(started.started_at) - START, 60_000);
    assert.equal(started.completed_at, null);
    assert.equal((await mock.must(200, 'GET', `/jobs/${other}`)).status, 'processing');
    const ended = await mock.must(200, 'GET', `/jobs/${id}?until=terminal&wait=60s`);
    assert.equal(ended.duration_seconds, 300);
    assert.equal((await mock.must(200, 'GET', `/jobs/${other}`)).status, 'processing');
    assert.equal((await settle(mock, { wait: '60s' })).status, 200);
    assert.equal((await mock.must(200, 'GET', `/jobs/${other}`)).duration_seconds, 7200);
    assert.ok(Date.now() - begun < 30_000, 'nobody lived through it');
});

test('auto: of many waits each gets what it waits for, none of them lost', async (t) => {
    const plans = Array.from({ length: 20 }, (_, index) => ({ queued: 1000 * (index + 1) }));
    const { mock, jobs } = await planned(t, plans, { mode: 'auto' });
    const waits = jobs.flatMap((id) => [mock.must(200, 'GET', `/jobs/${id}?until=processing&wait=60s`),
        mock.must(200, 'GET', `/jobs/${id}?until=completed&wait=60s`)]);
    const seen = await Promise.all(waits);
    for (const [index, { started_at: started }] of seen.entries())
        assert.equal(Date.parse(started) - START, 1000 * (Math.floor(index / 2) + 1));
    const list = await mock.must(200, 'GET', '/jobs?status=completed&min=20&wait=60s');
    assert.equal(list.items.length, 20);
});

test('auto: as many as wait for one event, the clock goes there and no further', async (t) => {
    const plans = Array.from({ length: 12 }, (_, index) => ({ queued: 1000 * (index + 1) }));
    const { mock, jobs } = await planned(t, plans, { mode: 'auto' });
    for (let i = 0; i < 6; i++) {
        await Promise.all(Array.from({ length: 20 },
            () => mock.must(200, 'GET', `/jobs/${jobs[i]}?until=processing&wait=60s`)));
        const { items } = await mock.must(200, 'GET', '/jobs?status=queued');
        assert.deepEqual(items.map(({ id }) => id), jobs.slice(i + 1));
    }
});

test('auto: not while a request is under way', async (t) => {
    const { server, made, mock, jobs: [id] } = await planned(t, [{}], { mode: 'auto' });
    const socket = await begin(t, server, { made, mock });
    assertProblem(await mock.send('GET', `/jobs/${id}?until=terminal&wait=50ms`), 409,
        'wait_expired', /the clock is auto, next event in 60s|1m/);
    const open = mock.must(200, 'GET', `/jobs/${id}?until=terminal&wait=60s`);
    assert.ok(await isOpen(open, server));
    socket.resume();
    assert.equal((await open).status, 'completed');
});
