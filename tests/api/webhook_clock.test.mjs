// When callbacks are sent: S25, C10. Schedules, what receivers say to them, and what a clock, a
// restart or a settling make of them. Advances that wait are in webhook_advance.test.mjs.

import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, test } from 'node:test';

import { serve, studio, temporaryDirectory, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { receive } from './receiver.mjs';
import { startServer } from '../support/server.mjs';

const START = Date.UTC(2030, 0, 1);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STANDARD = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];

let server;

before(async (t) => { server = await serve(t); });

/** A workspace whose clock stands at START, with a receiver; jobs end one second after they begin. */
async function place(t, { answer = 500, settings = {}, mode = 'manual', on = server, ...rest } = {}) {
    const receiver = await receive(t, { answer });
    const made = await control(on).make({ members: ['*'],
        settings: { queue_time: '0s', processing_time: '1s', ...settings },
        clock: mode === 'real' ? mode : { mode, now: new Date(START).toISOString() }, ...rest });
    const prefix = `/w/${made.slug}`;
    const mock = control(on, { prefix });
    const api = studio(on, { prefix, key: made.api_key });
    return { made, prefix, mock, api, receiver,
        owe: (body = {}) => api.newJob({ callback_url: receiver.url, ...body }),
        advance: (body, status = 200) => mock.must(status, 'POST', '/clock/advance', { body }),
        deliveries: async () => (await mock.must(200, 'GET', '/state')).deliveries };
}

const attemptsOf = (fired) => fired.filter(({ webhook }) => webhook);
const timesOf = (fired) => attemptsOf(fired).map(({ at }) => Date.parse(at));
const waitsOf = (fired) =>
    timesOf(fired).slice(1).map((at, index) => at - timesOf(fired)[index]);

describe('schedules', () => {
    test('S25: without one there is one attempt', async (t) => {
        const { owe, advance, deliveries, receiver } = await place(t);
        await owe();
        const { fired, next } = await advance({ by: '31h' });
        assert.equal(attemptsOf(fired).length, 1);
        assert.equal(next, null);
        assert.equal(receiver.requests.length, 1);
        const [{ status, attempts, ended_at, due_at }] = await deliveries();
        assert.deepEqual({ status, attempts, ended_at, due_at }, { status: 'exhausted', attempts: 1,
            ended_at: new Date(START + SECOND).toISOString(), due_at: null });
    });

    test('C10: 31h plays the standard one, varied by the seed', async (t) => {
        const play = async (seed) => {
            const { owe, advance, deliveries, receiver } = await place(t,
                { settings: { callback_retries: 'standard' }, seed });
            const [{ id }] = [await owe(), await owe()];
            const { fired, now } = await advance({ by: '31h' });
            assert.equal(now, new Date(START + 31 * HOUR).toISOString());
            assert.equal(receiver.requests.length, 16);
            for (const { status, attempts } of await deliveries())
                assert.deepEqual([status, attempts], ['exhausted', 8]);
            const own = attemptsOf(fired).filter(({ job }) => job === id);
            assert.deepEqual(own.map(({ attempt }) => attempt), [1, 2, 3, 4, 5, 6, 7, 8]);
            assert.equal(new Set(own.map(({ webhook }) => webhook)).size, 1);
            const waits = waitsOf(own);
            STANDARD.forEach((wait, index) => {
                const share = waits[index] / wait;
                assert.ok(share >= 0.9 && share <= 1.1, `${index}: ${share}`);
            });
            return attemptsOf(fired);
        };
        const first = await play('a seed');
        assert.deepEqual(await play('a seed'), first, 'all of it, ids and times');
        const other = await play('another seed');
        assert.notDeepEqual(timesOf(other), timesOf(first));
        assert.notDeepEqual(timesOf(first.filter(({ job }) => job === first[0].job)),
            timesOf(first.filter(({ job }) => job !== first[0].job)), 'each varies on its own');
    });

    test('C10: a list is played as it is, and until somebody takes it', async (t) => {
        const { owe, advance, deliveries, receiver } = await place(t, { answer: [500, 503, 404, 204],
            settings: { callback_retries: ['250ms', '0s', '90m', '1s', '1s'] } });
        await owe();
        const { fired } = await advance({ by: '2h' });
        assert.deepEqual(waitsOf(fired), [250, 0, 90 * MINUTE]);
        assert.equal(receiver.requests.length, 4);
        const [{ status, attempts, tries }] = await deliveries();
        assert.deepEqual([status, attempts, tries], ['delivered', 4, 4]);
    });

    test('C10: a clock that stands brings none; GET /clock says which is next', async (t) => {
        const { owe, advance, mock, receiver, deliveries } = await place(t,
            { settings: { callback_retries: ['5m', '5m'] } });
        const { id } = await owe();
        await advance({ by: '1s' });
        const at = new Date(START + SECOND + 5 * MINUTE).toISOString();
        const [{ id: webhook }] = await deliveries();
        const due = [{ at, webhook, job: id, attempt: 2 }];
        assert.deepEqual((await mock.must(200, 'GET', '/clock')).due, due);
        const early = await advance({ by: '299999ms' });
        assert.deepEqual([early.fired, early.next], [[], due[0]]);
        assert.equal(receiver.requests.length, 1);
        assert.deepEqual((await advance({ by: '1ms' })).fired, due);
        assert.equal(receiver.requests.length, 2);
    });

    test('C10: a real clock brings it by itself', async (t) => {
        const { owe, receiver, mock } = await place(t, { mode: 'real', answer: [500, 200],
            settings: { processing_time: '0s', callback_retries: ['200ms'] } });
        await owe();
        const [first, second] = await receiver.came(2);
        assert.ok(second.at - first.at >= 190, `${second.at - first.at} ms`);
        await mock.must(200, 'POST', '/wait', { body: { until: 'settled', wait: '10s' } });
    });
});

describe('what a receiver says', () => {
    test('Retry-After: seconds, a date, above an hour, less than the schedule waits', async (t) => {
        const { owe, advance, receiver } = await place(t,
            { settings: { callback_retries: ['10s', '10s', '10s', '10s', '2h'] } });
        const later = (value) => ({ status: 503, headers: { 'Retry-After': value } });
        receiver.answer = [later('90'), later('7200'), later('3'), later('soon'), later('3600'), 500];
        await owe();
        const { fired } = await advance({ by: '31h' });
        assert.deepEqual(waitsOf(fired), [90 * SECOND, HOUR, 10 * SECOND, 10 * SECOND, 2 * HOUR]);

        const dated = await place(t, { settings: { callback_retries: ['10s'] } });
        dated.receiver.answer = () => later(new Date(Date.now() + 10 * MINUTE).toUTCString());
        await dated.owe();
        const [wait] = waitsOf((await dated.advance({ by: '31h' })).fired);
        assert.ok(wait > 9.5 * MINUTE && wait <= 10 * MINUTE, `${wait} ms`);
    });

    test('410 ends it, a redirect is a failure that nobody follows, a 2xx is none', async (t) => {
        const elsewhere = await receive(t);
        const ends = { 410: ['gone', 1], 302: ['exhausted', 3], 308: ['exhausted', 3],
            400: ['exhausted', 3], 200: ['delivered', 1], 299: ['delivered', 1] };
        for (const [answer, [end, count]] of Object.entries(ends)) {
            const { owe, advance, deliveries, receiver } = await place(t,
                { settings: { callback_retries: ['1s', '1s'] } });
            receiver.answer = { status: Number(answer), headers: { Location: elsewhere.url } };
            await owe();
            await advance({ until: 'settled' });
            const [{ status, attempts }] = await deliveries();
            assert.deepEqual([status, attempts], [end, count], answer);
            assert.equal(receiver.requests.length, count, answer);
        }
        assert.equal(elsewhere.requests.length, 0);
    });
});

describe('settling', () => {
    const settled = { until: 'settled' };

    test('C9: callbacks count, and words say how many', async (t) => {
        const { owe, advance, mock, receiver } = await place(t,
            { settings: { callback_retries: ['40s'] } });
        const told = async (wait) => {
            const answer = await mock.send('POST', '/wait', { body: { ...settled, wait } });
            assertProblem(answer, 409, wait ? 'wait_expired' : 'not_so');
            return answer.body.detail;
        };
        const manual = (span) => `the clock is manual, next event in ${span}: POST /_mock/clock/advance`;
        await owe();
        await owe();
        assert.equal(await told(), `2 jobs are unfinished, ${manual('1s')}`);
        await advance({ by: '1s' });
        assert.equal(await told('20ms'), `2 deliveries are unfinished, ${manual('40s')}`);
        await advance({ by: '39s' });
        await owe();
        assert.equal(await told('20ms'), `1 job and 2 deliveries are unfinished, ${manual('1s')}`);
        receiver.answer = () => {}; // never
        await advance({ by: '999ms', deliveries: 'detach' });
        await mock.must(200, 'PUT', '/clock', { body: { mode: 'manual',
            now: new Date(START + 41 * SECOND).toISOString() } });
        await receiver.came(5);
        assert.match(await told('20ms'), /^3 deliveries are unfinished, 3 attempts are under way, the clock/);
    });

    test('C9: it comes when the last one has ended', async (t) => {
        const { owe, mock, receiver } = await place(t, { mode: 'real',
            settings: { processing_time: '0s' } });
        let release;
        receiver.answer = () => new Promise((resolve) => { release = () => resolve(200); });
        await owe();
        await receiver.came(1);
        const waiting = mock.send('POST', '/wait', { body: { ...settled, wait: '5m' } });
        await until(async () => release);
        assertProblem(await mock.send('POST', '/wait', { body: settled }), 409, 'not_so',
            /^1 delivery is unfinished, 1 attempt is under way, the clock is real, nothing is due$/);
        release();
        assert.equal((await waiting).status, 200);
    });

    test('C10: an auto clock jumps from try to try, and not while one is under way', async (t) => {
        const { owe, mock, receiver, deliveries } = await place(t, { mode: 'auto',
            settings: { callback_retries: ['1h', '2h'] } });
        const seen = [];
        receiver.answer = async () => {
            const clock = await mock.must(200, 'GET', '/clock');
            seen.push(Date.parse(clock.now) - START);
            return 500;
        };
        await owe();
        await mock.must(200, 'POST', '/wait', { body: { ...settled, wait: '30s' } });
        assert.deepEqual(seen, [SECOND, SECOND + HOUR, SECOND + 3 * HOUR]);
        assert.equal((await deliveries())[0].status, 'exhausted');
    });

    test('C10: no wait has an auto clock jump past an attempt, whatever it is for', async (t) => {
        const { owe, api, mock, receiver } = await place(t, { mode: 'auto' });
        let release;
        receiver.answer = () => new Promise((resolve) => { release = () => resolve(200); });
        await owe();
        await mock.set({ processing_time: '1h' });
        const { id } = await api.newJob();
        const waiting = mock.must(200, 'GET', `/jobs/${id}?until=terminal&wait=5m`);
        await receiver.came(1);
        await until(async () => release);
        assertProblem(await mock.send('GET', `/jobs/${id}?until=terminal&wait=50ms`), 409,
            'wait_expired', /next event in/);
        const clock = await mock.must(200, 'GET', '/clock');
        assert.deepEqual([Date.parse(clock.now), clock.due[0].job], [START + SECOND, id]);
        release();
        assert.equal(Date.parse((await waiting).completed_at), START + HOUR);
    });

    test('C10: who polls is not held up by it', async (t) => {
        const { owe, api, receiver } = await place(t, { mode: 'auto' });
        const { id } = await owe({ prompt: 'The first' });
        let other;
        receiver.answer = async ({ json }) => { // polls another job to its end before it answers
            if (json.id !== id) return 200;
            other = await api.jobEnd((await api.newJob()).id, { timeout: 10_000 });
            return 200;
        };
        await api.jobEnd(id);
        await until(async () => other);
        assert.equal(other.status, 'completed');
    });
});

describe('restarts', () => {
    const args = ['--queue-time', '0s', '--processing-time', '400ms'];
    const key = (on) => studio(on);

    test('S25: an attempt that kill -9 has cut off is made again', async (t) => {
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const receiver = await receive(t, { answer: () => {} }); // never
        const first = await startServer({ db, args });
        const { id } = await key(first).newJob({ callback_url: receiver.url });
        await receiver.came(1);
        await first.kill();
        receiver.answer = 200;
        const second = await serve(t, { db, args });
        const [, again] = await receiver.came(2);
        assert.equal(again.json.id, id);
        await control(second).must(200, 'POST', '/wait', { body: { until: 'settled', wait: '10s' } });
        const { deliveries: [{ status, attempts }] } = await control(second).must(200, 'GET', '/state');
        assert.deepEqual([status, attempts], ['delivered', 1]);
        assert.equal(receiver.requests.length, 2);
    });

    test('C10: what fell due while the server was down has the times that it would have had', async (t) => {
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const receiver = await receive(t);
        const first = await startServer({ db, args });
        const { id } = await key(first).newJob({ callback_url: receiver.url });
        await first.kill();
        await new Promise((resolve) => { setTimeout(resolve, 500); }); // real time is what passes
        const second = await serve(t, { db, args });
        const [came] = await receiver.came(1);
        assert.equal(came.json.status, 'completed');
        await control(second).must(200, 'POST', '/wait', { body: { until: 'settled', wait: '10s' } });
        const { jobs, deliveries: [delivery] } = await control(second).must(200, 'GET', '/state');
        const job = jobs.find((one) => one.id === id);
        assert.equal(Date.parse(job.completed_at) - Date.parse(job.created_at), 400);
        assert.equal(delivery.created_at, job.completed_at);
        assert.ok(Date.parse(delivery.ended_at) > Date.parse(job.completed_at));
    });

    test('C10: a retry of a clock that stands waits for an advance after a restart, too', async (t) => {
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const first = await startServer({ db });
        const { made, owe, advance, receiver } = await place(t,
            { on: first, settings: { callback_retries: ['5m'] } });
        await owe();
        await advance({ by: '1s' });
        await first.kill();
        const second = await serve(t, { db });
        const mock = control(second, { prefix: `/w/${made.slug}` });
        receiver.answer = 200;
        const { fired } = await mock.must(200, 'POST', '/clock/advance', { body: { by: '5m' } });
        assert.deepEqual(fired.map(({ at, attempt }) => [Date.parse(at), attempt]),
            [[START + SECOND + 5 * MINUTE, 2]]);
        assert.equal(receiver.requests.length, 2);
    });
});
