// Advances that wait for receivers: C1, C5, C9, C10. Each receiver is this process, which goes on
// while it waits itself; one that cannot answer before the advance has ended holds its answer back.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { serve, studio, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { receive } from './receiver.mjs';

const START = Date.UTC(2030, 0, 1);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const at = (ms) => new Date(START + ms).toISOString();

let server;

before(async (t) => { server = await serve(t); });

async function place(t, { answer = 200, settings = {}, clock = { mode: 'manual', now: at(0) },
    on = server } = {}) {
    const receiver = await receive(t, { answer });
    const made = await control(on).make({ members: ['*'], clock,
        settings: { queue_time: '0s', processing_time: '1s', ...settings } });
    const prefix = `/w/${made.slug}`;
    const mock = control(on, { prefix });
    const api = studio(on, { prefix, key: made.api_key });
    return { made, mock, api, receiver,
        owe: (body = {}) => api.newJob({ callback_url: receiver.url, ...body }),
        now: async () => Date.parse((await mock.must(200, 'GET', '/clock')).now) - START,
        move: (body) => mock.send('POST', '/clock/advance', { body }),
        advance: (body) => mock.must(200, 'POST', '/clock/advance', { body }),
        deliveries: async () => (await mock.must(200, 'GET', '/state')).deliveries };
}

/** Holds what comes until it is released, all at once, with this answer. */
function hold(receiver) {
    const held = [];
    receiver.answer = () => new Promise((resolve) => { held.push(resolve); });
    return { held, release: (answer = 200) => held.splice(0).forEach((resolve) => resolve(answer)) };
}

const shape = ({ webhook, ...rest }) => ({ ...rest, ...(webhook ? { webhook: true } : {}) });

test('C1, C10: each result is there before what follows from it falls due', async (t) => {
    const { owe, advance, receiver, now, api } = await place(t,
        { settings: { callback_retries: ['20s'], processing_time: '10s' } });
    const seen = [];
    receiver.answer = async ({ json }) => {
        seen.push([json.id, await now()]);
        return seen.length === 1 ? 500 : 200;
    };
    const first = await owe();
    await advance({ by: '5s' });
    const second = await owe();
    const answer = await advance({ by: '1m' });
    assert.deepEqual(seen, [[first.id, 10_000], [second.id, 15_000], [first.id, 30_000]]);
    assert.deepEqual(answer.fired.map(shape), [
        { at: at(10_000), job: first.id, from: 'processing', to: 'completed' },
        { at: at(10_000), webhook: true, job: first.id, attempt: 1 },
        { at: at(15_000), job: second.id, from: 'processing', to: 'completed' },
        { at: at(15_000), webhook: true, job: second.id, attempt: 1 },
        { at: at(30_000), webhook: true, job: first.id, attempt: 2 },
    ]);
    assert.deepEqual([answer.fired_count, answer.next, answer.stopped, answer.now],
        [5, null, null, at(65_000)]);
    assert.equal((await api.readJob(first.id)).status, 'completed');
});

test('C10: those due together go in parallel', async (t) => {
    const { owe, advance, receiver, deliveries } = await place(t);
    const { held, release } = hold(receiver);
    const hold8 = receiver.answer;
    receiver.answer = (request) => { // nobody is answered before eight have come
        const answer = hold8(request);
        if (held.length === 8) release();
        return answer;
    };
    for (let i = 0; i < 16; i += 1) await owe();
    const { fired } = await advance({ by: '1m' });
    assert.equal(fired.filter(({ webhook }) => webhook).length, 16);
    assert.equal(receiver.requests.length, 16);
    assert.ok((await deliveries()).every(({ status }) => status === 'delivered'));
});

describe('deliveries', () => {
    test('detach goes on at once', async (t) => {
        const { owe, advance, receiver, deliveries, now } = await place(t,
            { settings: { callback_retries: ['10s'] } });
        const { release } = hold(receiver);
        await owe();
        const { fired_count: count } = await advance({ by: '1m', deliveries: 'detach' });
        assert.equal(count, 2);
        assert.equal(await now(), MINUTE);
        await receiver.came(1);
        release(500);
        const { due_at: due } = await until(async () =>
            (await deliveries()).find(({ status }) => status === 'retrying'));
        assert.equal(due, at(MINUTE + 10 * SECOND), 'counted from when the result came');
    });

    test('a change of the clock detaches', async (t) => {
        const { owe, mock, receiver } = await place(t);
        const { release } = hold(receiver);
        await owe();
        const clock = await mock.must(200, 'PUT', '/clock', { body: { mode: 'real', now: at(MINUTE) } });
        assert.ok(Date.parse(clock.now) >= START + MINUTE);
        await receiver.came(1);
        release();
    });

    test('wait is what happens without a word; others are refused', async (t) => {
        const { owe, advance, move, deliveries, now } = await place(t);
        await owe();
        assertProblem(await move({ by: '1s', deliveries: 'detatch' }), 422, 'invalid_field',
            /^deliveries/, /did you mean "detach"\?/i);
        assertProblem(await move({ by: '1s', deliveries: false }), 422, 'invalid_field', /^deliveries/);
        assertProblem(await move({ by: '1s', delivery: 'wait' }), 422, 'unknown_field',
            /delivery/, /deliveries/);
        assert.equal(await now(), 0);
        await advance({ by: '1s', deliveries: 'wait' });
        assert.equal((await deliveries())[0].status, 'delivered');
    });
});

describe('receivers', () => {
    test('one that cannot answer ends in its time-out, and the advance goes on', async (t) => {
        const { owe, advance, receiver, deliveries } = await place(t,
            { settings: { callback_timeout: '300ms', callback_retries: ['10s'] } });
        const { release } = hold(receiver); // as a test of one thread, that waits for the advance
        await owe();
        const before = Date.now();
        const answer = await advance({ by: '1m' });
        assert.ok(Date.now() - before >= 590, 'two time-outs');
        assert.deepEqual([answer.now, answer.stopped], [at(MINUTE), null]);
        assert.deepEqual(answer.fired.filter(({ webhook }) => webhook).map((one) => one.at),
            [at(SECOND), at(11 * SECOND)]);
        assert.equal((await deliveries())[0].status, 'exhausted');
        release();
    });

    test('one that calls the APIs is answered, at that instant', async (t) => {
        const { owe, advance, api, mock, receiver, now } = await place(t);
        const other = await owe({ prompt: 'Another call' });
        await advance({ by: '500ms' });
        const job = await owe();
        const done = [];
        receiver.answer = async ({ json }) => {
            if (json.id !== other.id) return 200;
            assert.equal((await api.readJob(json.id)).status, 'completed');
            const made = await owe({ prompt: 'From within' });
            assert.equal(made.created_at, json.completed_at);
            assert.equal((await api.cancelJob(job.id)).body.status, 'cancelled');
            await mock.set({ processing_time: '3s' });
            assert.equal(await now(), 1000);
            done.push(made.id);
            return 200;
        };
        const { fired } = await advance({ by: '10s' });
        assert.equal(done.length, 1);
        assert.deepEqual(fired.map((one) => [one.job, Date.parse(one.at) - START, one.to ?? one.attempt]), [
            [other.id, 1000, 'completed'], [other.id, 1000, 1],
            [done[0], 1000, 'processing'], [job.id, 1000, 1],
            [done[0], 2000, 'completed'], [done[0], 2000, 1],
        ]);
    });

    test('one that waits, from within, for a callback of what it did', async (t) => {
        const { owe, advance, api, receiver } = await place(t,
            { settings: { callback_timeout: '20s' } });
        const first = await owe();
        const second = await owe({ prompt: 'Another call', callback_url: `${receiver.url}2` });
        await advance({ by: '500ms' });
        const third = await owe();
        receiver.answer = async ({ json }) => {
            if (json.id !== first.id) return 200;
            await api.cancelJob(third.id);
            await until(async () => receiver.requests.some((one) => one.json.id === third.id));
            return 200;
        };
        const before = Date.now();
        await advance({ by: '1m' });
        assert.ok(Date.now() - before < 15_000, 'no time-out');
        assert.ok(receiver.requests.some(({ json }) => json.id === second.id));
    });

    test('one that moves the clock is told at once that it is being moved', async (t) => {
        const { owe, advance, receiver, mock, move } = await place(t);
        const told = [];
        receiver.answer = async () => {
            const before = Date.now();
            told.push(await move({ by: '1h' }),
                await mock.send('PUT', '/clock', { body: { mode: 'real' } }));
            assert.ok(Date.now() - before < 5000);
            return 200;
        };
        await owe();
        assert.equal((await advance({ by: '1m' })).now, at(MINUTE));
        assert.equal(told.length, 2);
        for (const answer of told) assertProblem(answer, 409, 'clock_busy');
    });
});

describe('how far', () => {
    test('C10: until settled plays schedules out', async (t) => {
        const { owe, advance, deliveries } = await place(t,
            { answer: 500, settings: { callback_retries: ['1h', '2h'] } });
        await owe();
        const answer = await advance({ until: 'settled' });
        assert.equal(answer.now, at(SECOND + 180 * MINUTE));
        assert.equal(answer.fired_count, 4);
        assert.equal((await deliveries())[0].status, 'exhausted');
    });

    test('C10: an attempt is an event', async (t) => {
        const { owe, advance } = await place(t,
            { answer: 500, settings: { callback_retries: ['1h', '2h'] } });
        await owe();
        await advance({ by: '1s' });
        const answer = await advance({ events: 1 });
        assert.deepEqual(answer.fired.map(({ attempt }) => attempt), [2]);
        assert.deepEqual([answer.now, answer.next.attempt], [at(SECOND + 60 * MINUTE), 3]);
    });

    test('C1: up to a job\'s end, its callback has ended, too', async (t) => {
        const { owe, advance, deliveries, receiver } = await place(t);
        const { id } = await owe();
        await advance({ until: { job: id, status: 'terminal' } });
        assert.equal(receiver.requests.length, 1);
        assert.equal((await deliveries())[0].status, 'delivered');
    });

    test('C5: its time runs out, and what it waited for goes on', async (t) => {
        const { owe, advance, receiver, deliveries, now } = await place(t);
        const { release } = hold(receiver);
        await owe();
        const answer = await advance({ by: '1h', timeout: '200ms' });
        assert.deepEqual([answer.stopped, answer.now], ['timeout', at(SECOND)]);
        assert.equal(await now(), SECOND);
        release();
        await until(async () => (await deliveries())[0].status === 'delivered');
        assert.equal((await advance({ by: '1h' })).now, at(SECOND + 60 * MINUTE));
    });
});

describe('while it waits', () => {
    /** An advance that does, for ever as far as its receiver is concerned. */
    async function waiting(t, options) {
        const all = await place(t, { ...options, settings: { callback_timeout: '10m' } });
        hold(all.receiver);
        await all.owe();
        const answer = all.move({ by: '1h', timeout: '10m' });
        await all.receiver.came(1);
        return { ...all, answer };
    }

    test('C9: a reset ends it, and is made', async (t) => {
        const { mock, answer, deliveries, advance } = await waiting(t);
        await mock.must(200, 'POST', '/reset', { body: {} });
        assertProblem(await answer, 409, 'workspace_reset', /while this request waited/);
        assert.deepEqual(await deliveries(), []);
        assert.equal((await advance({ by: '1h' })).stopped, null);
    });

    test('C9: so does the workspace\'s deletion', async (t) => {
        const { made, answer } = await waiting(t);
        await control(server).remove(made.slug);
        assertProblem(await answer, 404, 'workspace_not_found');
    });

    test('C9: and the server\'s stop', async (t) => {
        const on = await serve(t);
        const { answer } = await waiting(t, { on });
        const stopped = on.stop();
        assert.equal((await answer).status, 503);
        await stopped;
    });

    test('C10: a clock that runs goes on, and its timers with it', async (t) => {
        const { answer, api } = await waiting(t, { clock: 'real' });
        const { id } = await api.newJob();
        assert.equal((await api.jobEnd(id)).status, 'completed');
        void answer.catch(() => {}); // it waits until its server ends
    });
});
