// Workspaces' clocks: modes, advances, auto, seeds, over HTTP.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { startServer } from '../support/server.mjs';
import { inParallel, request, scenarios, serve, studio, temporaryDirectory, until }
    from './client.mjs';
import { assertProblem, control } from './control.mjs';

const SEEDED_START = '2024-03-01T10:00:00.000Z';
const ms = (text) => Date.parse(text);
const at = (offset, start = SEEDED_START) => new Date(ms(start) + offset).toISOString();
const whole = (offset, start) => at(offset, start).replace(/\.\d{3}Z$/, 'Z');
const FIVE_MINUTES = { queue_time: '10s', processing_time: '290s' };

let server;
let number = 0;

/** A workspace of the test's own: its answer, its control plane, and a client with its key. */
async function workspace(fields = {}, at_ = server) {
    number += 1;
    const made = await control(at_).make({ slug: `w${number}`, members: ['*@acme.com'],
        settings: FIVE_MINUTES, clock: 'manual', seed: 1, ...fields });
    const prefix = `/w/${made.slug}`;
    const own = control(at_, { prefix });
    return {
        made,
        prefix,
        control: own,
        api: studio(at_, { key: made.api_key }),
        clock: () => own.must(200, 'GET', '/clock'),
        set: (body) => own.must(200, 'PUT', '/clock', { body: JSON.stringify(body) }),
        advance: (body) => own.must(200, 'POST', '/clock/advance', { body }),
        tryAdvance: (body) => own.send('POST', '/clock/advance', { body }),
        trySet: (body) => own.send('PUT', '/clock', { body: JSON.stringify(body) }),
    };
}

const isBusy = (answer) => answer.status === 409
    && answer.body.type === 'urn:understudy:clock_busy';

describe('clocks', () => {
    before(async () => { server = await startServer({ args: ['--durability', 'process'] }); });
    after(() => server.stop());

    test('C1, C10, S20: a five-minute job by an advance, with its documented times', async () => {
        const own = await workspace();
        const { id } = await own.api.newJob();
        assert.deepEqual(await own.clock(), { mode: 'manual', scale: null, now: SEEDED_START,
            due: [{ at: at(10_000), job: id, to: 'processing' }] });
        assert.deepEqual(await own.advance({ by: '76h' }), {
            now: at(76 * 3600_000),
            fired: [{ at: at(10_000), job: id, from: 'queued', to: 'processing' },
                { at: at(300_000), job: id, from: 'processing', to: 'completed' }],
            fired_count: 2, next: null, stopped: null });
        const job = await own.api.readJob(id);
        assert.deepEqual([job.status, job.created_at, job.started_at, job.completed_at,
            job.duration_seconds],
        ['completed', whole(0), whole(10_000), whole(300_000), 290]);
    });

    test('C1: to, events and what is next', async () => {
        const own = await workspace();
        const first = await own.api.newJob();
        await own.advance({ by: '4s' });
        const second = await own.api.newJob({ prompt: '!!!' });
        assert.equal(second.created_at, whole(4000));
        assert.deepEqual(await own.advance({ events: 1 }), { now: at(10_000),
            fired: [{ at: at(10_000), job: first.id, from: 'queued', to: 'processing' }],
            fired_count: 1, next: { at: at(14_000), job: second.id, to: 'processing' },
            stopped: null });
        assert.deepEqual((await own.clock()).due, [
            { at: at(14_000), job: second.id, to: 'processing' },
            { at: at(300_000), job: first.id, to: 'completed' }]);
        const reached = await own.advance({ to: at(300_000) });
        assert.equal(reached.now, at(300_000));
        assert.deepEqual(reached.fired.map(({ job, to }) => [job, to]),
            [[second.id, 'processing'], [first.id, 'completed']]);
        assert.deepEqual(reached.next, { at: at(304_000), job: second.id, to: 'failed' });
        // Fewer where there are no more; the clock stays at the last one.
        const rest = await own.advance({ events: 50 });
        assert.deepEqual([rest.fired_count, rest.now, rest.next], [1, at(304_000), null]);
        assert.equal((await own.api.readJob(second.id)).error.code, 'GENERATION_ERROR');
        assert.equal((await own.advance({ to: '2024-03-01T12:00:00.25+02:00'.replace('12', '13') }))
            .now, at(3600_250));
        assert.equal((await own.advance({ by: '0ms' })).now, at(3600_250));
    });

    test('C1: what is due at one instant comes along, in the order of creation', async () => {
        const own = await workspace();
        const ids = [];
        for (let i = 0; i < 5; i += 1) ids.push((await own.api.newJob()).id);
        const { fired, fired_count: count, now } = await own.advance({ events: 2 });
        assert.deepEqual([count, now], [5, at(10_000)]);
        assert.deepEqual(fired.map(({ job }) => job), ids);
    });

    test('C1: until settled, and until a job has reached a status', async () => {
        const own = await workspace();
        const first = await own.api.newJob();
        await own.advance({ by: '1s' });
        const second = await own.api.newJob();
        const goal = (job, status) => own.tryAdvance({ until: { job, status } });
        const processing = await goal(second.id, 'processing');
        assert.deepEqual([processing.body.fired_count, processing.body.now], [2, at(11_000)]);
        const again = await goal(second.id, 'processing');
        assert.deepEqual([again.body.fired_count, again.body.now], [0, at(11_000)]);
        const settled = await own.advance({ until: 'settled' });
        assert.deepEqual([settled.fired_count, settled.now, settled.next], [2, at(301_000), null]);
        for (const status of ['terminal', 'processing', 'completed'])
            assert.equal((await goal(first.id, status)).body.fired_count, 0);
        for (const status of ['failed', 'cancelled'])
            assertProblem(await goal(first.id, status), 409, 'wait_impossible',
                new RegExp(`is completed and will not become ${status}`));
        const third = await own.api.newJob();
        await own.api.cancelJob(third.id);
        assertProblem(await goal(third.id, 'processing'), 409, 'wait_impossible', /is cancelled/);
        assert.equal((await goal(third.id, 'cancelled')).status, 200);
        assertProblem(await goal('nobody', 'terminal'), 404, 'job_not_found', /"nobody"/);
    });

    test('C2, C3, C4: what is wrong with an advance', async () => {
        const own = await workspace();
        await own.advance({ by: '1h' });
        const wrong = [
            [{}, 'missing_field', /by, to, events and until/, /"by": "5m"/],
            [{ timeout: '5s' }, 'missing_field', /by, to, events and until/],
            [{ by: '1s', events: 1 }, 'invalid_field', /exclude each other/],
            [{ to: '2030-01-01T00:00:00Z', until: 'settled' }, 'invalid_field', /exclude/],
            [{ by: 5 }, 'invalid_field', /^by must be a duration/],
            [{ by: '5' }, 'invalid_field', /^by must be/, /has no unit: write 5ms/],
            [{ by: '-5s' }, 'invalid_field', /^by must be/, /negative/],
            [{ by: '2d' }, 'invalid_field', /^by must be/, /48h/],
            [{ to: 'tomorrow' }, 'invalid_field', /^to must be a time/],
            [{ to: '2024-02-30T00:00:00Z' }, 'invalid_field', /^to must be a time/],
            [{ to: 1709287200000 }, 'invalid_field', /^to must be a time/],
            [{ to: '2030-01-01T00:00:00' }, 'invalid_field', /^to must be a time/],
            [{ events: 0 }, 'invalid_field', /^events must be a whole number from 1 to 100000/],
            [{ events: 100001 }, 'invalid_field', /^events must be/],
            [{ events: '3' }, 'invalid_field', /^events must be/],
            [{ events: 1.5 }, 'invalid_field', /^events must be/],
            [{ until: 'setled' }, 'invalid_field', /^until must be settled/, /"settled"\?/],
            [{ until: 5 }, 'invalid_field', /^until must be "settled", or an object/],
            [{ until: {} }, 'missing_field', /^until.job is required/],
            [{ until: { job: 'x' } }, 'missing_field', /^until.status is required/],
            [{ until: { job: 'x', status: 'queued' } }, 'invalid_field',
                /^until.status must be terminal, processing, completed, failed or cancelled/],
            [{ until: { job: 'x', status: 'complete' } }, 'invalid_field', /^until.status/,
                /"completed"\?/],
            [{ until: { job: 'x', status: 'failed', why: 1 } }, 'unknown_field', /until\."why"/],
            [{ bye: '5s' }, 'unknown_field', /"bye"/, /"by"\?/],
            [{ by: '5s', timeout: '0s' }, 'invalid_field', /^timeout must be/],
            [{ by: '5s', timeout: '11m' }, 'invalid_field', /^timeout must be/],
            [[], 'invalid_body', /object/],
            ['by', 'invalid_body', /object/],
        ];
        for (const [body, name, detail, hint] of wrong) {
            const answer = await own.control.send('POST', '/clock/advance',
                { body: JSON.stringify(body) });
            assertProblem(answer, 422, name, detail, hint);
        }
        assertProblem(await own.control.send('POST', '/clock/advance', { body: '{' }), 400,
            'invalid_json');
        assertProblem(await own.control.send('POST', '/clock/advance?by=5s', { body: {} }), 422,
            'unknown_parameter', /"by"/);
        assertProblem(await own.tryAdvance({ to: at(3600_000 - 1) }), 409, 'clock_backward',
            new RegExp(`now, ${at(3600_000)}`));
        assertProblem(await own.tryAdvance({ by: '876600h' }).then(async () => {
            for (let i = 0; i < 78; i += 1) await own.advance({ by: '876600h' });
            return own.tryAdvance({ by: '876600h' });
        }), 422, 'invalid_field', /year 9999/);
        assert.equal((await own.advance({ to: '9999-12-31T23:59:59.999Z' })).now,
            '9999-12-31T23:59:59.999Z');
    });

    test('C2, C4: what is wrong with a clock, here and in a new workspace', async () => {
        const own = await workspace();
        const wrong = [
            [{}, 'missing_field', /mode is required/],
            [{ mode: 'rael' }, 'invalid_field', /mode must be real, scaled, manual or auto/,
                /"real"\?/],
            ['mannual', 'invalid_field', /mode must be/, /"manual"\?/],
            [{ mode: 5 }, 'invalid_field', /mode must be/],
            ['scaled', 'missing_field', /scale is required/, /"scale": 60/],
            [{ mode: 'scaled' }, 'missing_field', /scale is required/],
            [{ mode: 'real', scale: 2 }, 'invalid_field', /scale needs the mode scaled/],
            [{ mode: 'manual', scale: 1 }, 'invalid_field', /scale needs the mode scaled/],
            [{ mode: 'scaled', scale: 0 }, 'invalid_field', /scale must be a number from 0.001/],
            [{ mode: 'scaled', scale: -1 }, 'invalid_field', /scale must be/],
            [{ mode: 'scaled', scale: 1e7 }, 'invalid_field', /scale must be/],
            [{ mode: 'scaled', scale: '60' }, 'invalid_field', /scale must be/],
            [{ mode: 'manual', now: '2030-01-01' }, 'invalid_field', /now must be a time/],
            [{ mode: 'manual', now: 5 }, 'invalid_field', /now must be a time/],
            [{ mode: 'manual', nwo: '2030-01-01T00:00:00Z' }, 'unknown_field', /"nwo"/,
                /"now"\?/],
        ];
        for (const [body, name, detail, hint] of wrong) {
            assertProblem(await own.trySet(body), 422, name, detail, hint);
            const answer = await control(server).send('POST', '/workspaces',
                { body: { clock: body } });
            assertProblem(answer, 422, name, detail, hint);
            assert.match(answer.body.detail, /clock\./);
        }
        assertProblem(await own.trySet([]), 422, 'invalid_body', /mode's name/);
        assertProblem(await own.control.send('PUT', '/clock'), 422, 'missing_field', /mode/);
        assertProblem(await own.control.send('PUT', '/clock', { body: '"real' }), 400,
            'invalid_json');
        assertProblem(await own.trySet({ mode: 'manual', now: at(-1) }), 409, 'clock_backward',
            new RegExp(`now, ${SEEDED_START}`));
        for (const seed of [1.5, '', true, [], 'x'.repeat(101), 'é'.repeat(51)])
            assertProblem(await control(server).send('POST', '/workspaces', { body: { seed } }),
                422, 'invalid_field', /^seed must be a whole number, or a text of 1 to 100 bytes/);
        assertProblem(await control(server).send('POST', '/workspaces', { body: { clock: 5 } }),
            422, 'invalid_field', /^clock must be an object/);
        assert.equal((await own.clock()).now, SEEDED_START);
    });

    test('C10: where clocks of new workspaces begin', async () => {
        const made = async (fields) => {
            const before_ = Date.now();
            const own = await workspace({ clock: undefined, seed: undefined, ...fields });
            assert.ok(Math.abs(ms(own.made.created_at) - before_) < 60_000); // always real
            return own;
        };
        const near = (text, start, slack = 60_000) =>
            assert.ok(ms(text) >= start - 5 && ms(text) < start + slack, text);
        const start = Date.now();
        const plain = await made({});
        assert.deepEqual([plain.made.clock.mode, plain.made.clock.scale, plain.made.seed],
            ['real', null, null]);
        near(plain.made.clock.now, start);
        near((await made({ clock: 'manual' })).made.clock.now, start);
        assert.deepEqual((await made({ clock: { mode: 'auto' }, seed: -7 })).made.clock,
            { mode: 'auto', scale: null, now: SEEDED_START });
        const real = await made({ seed: 'checkout "é" \u0001' });
        assert.deepEqual([real.made.clock.mode, real.made.seed], ['real', 'checkout "é" \u0001']);
        near(real.made.clock.now, ms(SEEDED_START)); // and goes on from there
        const scaled = await made({ clock: { mode: 'scaled', scale: 0.001 }, seed: 1 });
        assert.deepEqual([scaled.made.clock.mode, scaled.made.clock.scale], ['scaled', 0.001]);
        near(scaled.made.clock.now, ms(SEEDED_START));
        const past = '1999-12-31T23:59:59.999Z';
        assert.equal((await made({ clock: { mode: 'manual', now: past } })).made.clock.now, past);
        const put = await control(server).must(201, 'PUT', `/workspaces/put${number}`,
            { body: { clock: { mode: 'manual', now: past }, seed: 5 } });
        assert.deepEqual([put.clock, put.seed], [{ mode: 'manual', scale: null, now: past }, 5]);
        assert.deepEqual((await control(server).read(put.slug)).clock, put.clock);
    });

    test('C10: a change of mode continues from the clock\'s now, and timers follow', async () => {
        const own = await workspace();
        const { id } = await own.api.newJob();
        const scaled = await own.set({ mode: 'scaled', scale: 1e6 });
        assert.equal(scaled.scale, 1e6);
        assert.ok(ms(scaled.now) >= ms(SEEDED_START));
        // Five minutes are a third of a millisecond now; its times are as documented all the same.
        const job = await own.api.jobEnd(id);
        assert.deepEqual([job.started_at, job.completed_at], [whole(10_000), whole(300_000)]);
        const stood = await own.set('manual');
        assert.ok(ms(stood.now) >= ms(SEEDED_START) + 300_000);
        const second = await own.api.newJob();
        assert.equal((await own.clock()).now, stood.now);
        // `now` moves it ahead, and fires what falls due on the way.
        const later = at(20_000, stood.now);
        assert.equal((await own.set({ mode: 'manual', now: later })).now, later);
        assert.equal((await own.api.readJob(second.id)).started_at, whole(10_000, stood.now));
        const real = await own.set({ mode: 'real' });
        assert.ok(ms(real.now) >= ms(later) && ms(real.now) < ms(later) + 60_000);
        // Running clocks can be moved as well, and go on from there.
        const moved = await own.advance({ until: { job: second.id, status: 'terminal' } });
        assert.equal(moved.fired_count, 1);
        assert.ok(ms((await own.clock()).now) >= ms(stood.now) + 300_000);
        assert.equal((await own.api.readJob(second.id)).completed_at, whole(300_000, stood.now));
    });

    test('C10: a real clock moves jobs again from where it was left', async () => {
        const own = await workspace({ settings: { queue_time: '1h', processing_time: '50ms' } });
        const { id } = await own.api.newJob();
        await own.advance({ by: '59m' });
        await own.set({ mode: 'real', now: at(3600_000 - 100) });
        const job = await own.api.jobEnd(id); // in 150 ms, by itself
        assert.equal(job.started_at, whole(3600_000));
        assert.equal(job.duration_seconds, 0.05);
    });

    test('C1: what is due at or before now fires without an advance', async () => {
        const own = await workspace({ settings: { queue_time: '0ms', processing_time: '0ms' } });
        for (let i = 0; i < 20; i += 1) {
            const made = await own.api.newJob({ prompt: `Renewal number ${i}` });
            assert.equal(made.status, 'queued');
            const job = await own.api.readJob(made.id); // already, not soon
            assert.deepEqual([job.status, job.completed_at, job.duration_seconds],
                ['completed', whole(0), 0]);
        }
    });

    test('C10: a client that polls sees queued, processing, completed in three polls', async () => {
        const own = await workspace({ clock: 'auto' });
        const first = await own.api.newJob();
        await own.api.send('HEAD', `/scenario-studio/jobs/${first.id}`); // has no such effect
        const polls = [];
        for (let i = 0; i < 3; i += 1) {
            polls.push(await own.api.readJob(first.id));
            const { now } = await own.clock(); // the jump is done when the answer comes
            assert.equal(now, at([10_000, 300_000, 300_000][i]));
        }
        assert.deepEqual(polls.map(({ status }) => status),
            ['queued', 'processing', 'completed']);
        const last = polls[2];
        assert.deepEqual([last.created_at, last.started_at, last.completed_at,
            last.duration_seconds], [whole(0), whole(10_000), whole(300_000), 290]);
        // Others on the way fire too; a job that has ended, or none, moves nothing.
        const second = await own.api.newJob();
        await own.advance({ by: '1s' });
        const third = await own.api.newJob();
        await own.api.readJob(third.id);
        assert.equal((await own.clock()).now, at(311_000));
        assert.equal((await own.clock()).due[0].job, second.id);
        await own.api.readJob(first.id);
        await own.api.getJob('nobody');
        assert.equal((await own.clock()).now, at(311_000));
    });

    test('C10: a client that asks every five seconds ends at its third time', async () => {
        const own = await workspace({ clock: 'auto' });
        const client = fileURLToPath(new URL('polling_client.mjs', import.meta.url));
        const { stdout } = await promisify(execFile)(process.execPath,
            [client, own.made.base_urls.studio, own.made.api_key]);
        const { seen, job } = JSON.parse(stdout);
        assert.deepEqual(seen, ['queued', 'processing', 'completed']);
        assert.deepEqual([job.created_at, job.started_at, job.completed_at, job.duration_seconds],
            [whole(0), whole(10_000), whole(300_000), 290]);
    });

    test('C10: auto under max_processing jumps until that job moves', async () => {
        const own = await workspace({ clock: 'auto',
            settings: { ...FIVE_MINUTES, max_processing: 1 } });
        const jobs = [];
        for (let i = 0; i < 3; i += 1) jobs.push(await own.api.newJob());
        const { id } = jobs[2];
        const seen = [];
        for (let i = 0; i < 3; i += 1) seen.push((await own.api.readJob(id)).status);
        assert.deepEqual(seen, ['queued', 'processing', 'completed']);
        const job = await own.api.readJob(id);
        assert.deepEqual([job.started_at, job.completed_at],
            [whole(10_000 + 2 * 290_000), whole(10_000 + 3 * 290_000)]);
    });

    test('C10: many polling clients at once, each seeing its job\'s three states', async () => {
        const own = await workspace({ clock: 'auto' });
        const made = await Promise.all(Array.from({ length: 20 }, () => own.api.newJob()));
        await inParallel(10, made, async ({ id }) => {
            const seen = [];
            for (let i = 0; i < 10 && seen.at(-1) !== 'completed'; i += 1)
                seen.push((await own.api.readJob(id)).status);
            assert.equal(seen.at(-1), 'completed');
            assert.ok(seen.length <= 3, seen.join());
            const job = await own.api.readJob(id);
            assert.equal(ms(job.started_at) - ms(job.created_at), 10_000);
            assert.equal(ms(job.completed_at) - ms(job.created_at), 300_000);
        });
    });

    test('C10, S13: a session\'s page moves an auto clock as well', async () => {
        const own = await workspace({ clock: 'auto' });
        const session = (await own.api.createSession(
            { user_email: 'jane@acme.com', prompt: 'Practice a renewal call' })).body;
        const page = new URL(session.url).pathname;
        const seen = [];
        for (let i = 0; i < 3; i += 1) {
            const { status, text } = await request(server, 'GET', page);
            assert.equal(status, 200);
            seen.push(/queued|processing|completed/i.exec(text.replace(/<style.*?<\/style>/s, ''))
                ?.[0].toLowerCase());
        }
        assert.equal((await own.clock()).now, at(300_000));
        assert.equal(new Set(seen).size, 3, seen.join());
    });

    test('C10, S26: rate limits go by the same clock', async () => {
        const own = await workspace({ settings: { ...FIVE_MINUTES,
            rate_limit: { per_minute: 2 } } });
        const codes = async () => [(await own.api.getJob('x')).status,
            (await own.api.getJob('x')).status, (await own.api.getJob('x')).status];
        assert.deepEqual(await codes(), [404, 404, 429]);
        await own.advance({ by: '59s' });
        assert.equal((await own.api.getJob('x')).status, 429);
        await own.advance({ by: '1s' });
        assert.deepEqual(await codes(), [404, 404, 429]);
    });

    test('one workspace\'s clock never moves another\'s', async () => {
        const [one, two] = [await workspace(), await workspace()];
        const job = await two.api.newJob();
        await one.api.newJob();
        await one.advance({ until: 'settled' });
        await one.set({ mode: 'scaled', scale: 1000 });
        assert.deepEqual(await two.clock(), { mode: 'manual', scale: null, now: SEEDED_START,
            due: [{ at: at(10_000), job: job.id, to: 'processing' }] });
        assert.equal((await two.api.readJob(job.id)).status, 'queued');
    });

    test('C1: GET /clock lists at most 100, of those that may start', async () => {
        const own = await workspace({ settings: { ...FIVE_MINUTES, max_processing: 2 } });
        const jobs = [];
        for (let i = 0; i < 4; i += 1) jobs.push((await own.api.newJob()).id);
        assert.deepEqual((await own.clock()).due.map(({ job }) => job), jobs.slice(0, 2));
        await own.advance({ by: '10s' });
        assert.deepEqual((await own.clock()).due.map(({ job, to }) => [job, to]),
            [[jobs[0], 'completed'], [jobs[1], 'completed']]);
        await own.control.set({ max_processing: 0 });
        await inParallel(8, Array.from({ length: 110 }), () => own.api.newJob());
        const { due } = await own.clock();
        assert.equal(due.length, 100);
        for (let i = 1; i < due.length; i += 1) assert.ok(due[i].at >= due[i - 1].at);
    });
});

// -- seeds --------------------------------------------------------------------------------------

/** Every operation of both APIs, and a failure of each kind; resolves to all that was answered. */
async function liveThrough(own, at_) {
    const said = [];
    const note = (answer) => {
        const text = answer.text.replaceAll(own.made.base_urls.studio.replace('/rest/v1', ''),
            '<base>').replaceAll(own.prefix, '<prefix>');
        said.push(`${answer.status} ${text}`);
        return answer;
    };
    const projects = scenarios(at_, { prefix: own.prefix, project: 'p1' });
    const body = (prompt, more) => ({ user_email: 'jane@acme.com', prompt, ...more });
    const made = [];
    for (const prompt of ['Practice a renewal call', 'Practice a renewal call', '!!!', '電話'])
        made.push(note(await own.api.createJob(body(prompt, { request_id: `r${made.length}` }))));
    note(await own.api.createJob(body('again', { request_id: 'r0' })));
    note(await own.api.createJob(body('x', { user_email: 'x@other.example' })));
    note(await own.control.send('POST', '/clock/advance', { body: { events: 1 } }));
    note(await own.api.cancelJob(made[1].body.id));
    note(await own.control.send('POST', '/clock/advance', { body: { until: 'settled' } }));
    for (const { body: { id } } of made) note(await own.api.getJob(id));
    note(await own.api.cancelJob(made[0].body.id));
    const slug = (await own.api.getJob(made[0].body.id)).body.scenario.slug;
    const remix = note(await own.api.createJob(body('remix', { scenario_slug: slug })));
    const session = note(await own.api.createSession(body('A session', { request_id: 's' })));
    note(await request(at_, 'GET', new URL(session.body.url).pathname));
    note(await own.control.send('POST', '/clock/advance', { body: { by: '76h' } }));
    note(await own.api.getJob(remix.body.id));
    note(await request(at_, 'GET', new URL(session.body.url).pathname));
    note(await request(at_, 'GET', `${own.prefix}/scenarios/${slug}`));
    const created = note(await projects.create({ name: 'booking', instructions: 'Cancel.' }));
    note(await projects.create({ name: 'booking' }));
    note(await own.control.send('POST', '/clock/advance', { body: { by: '1ms' } }));
    note(await projects.update(created.body.id, { maxMessages: 5 }));
    note(await projects.create({ name: 'other' }));
    note(await projects.list());
    note(await projects.get(created.body.id));
    note(await projects.remove(created.body.id));
    note(await projects.get(created.body.id));
    note(await own.control.send('POST', '/scenarios', { body: { name: 'A source' } }));
    note(await own.control.send('GET', '/clock'));
    return said;
}

describe('seeds', () => {
    test('S21, E6: the same calls give the same answers, byte for byte', async (t) => {
        const at_ = await serve(t, { args: ['--durability', 'process'] });
        const settings = { ...FIVE_MINUTES, jitter: 0.5 };
        const name = 'Twins'; // which the pages show
        const lives = [];
        for (const seed of [42, 42, '42', 43])
            lives.push(await liveThrough(await workspace({ name, seed, settings }, at_), at_));
        assert.equal(lives[0].length, 32);
        assert.deepEqual(lives[1], lives[0]);
        assert.notDeepEqual(lives[2], lives[0]);
        assert.notDeepEqual(lives[3], lives[0]);
        // So do those of another server, and in a workspace with other names.
        const other = await serve(t);
        assert.deepEqual(await liveThrough(await workspace({ name, seed: 42, settings }, other), other),
            lives[0]);
        // What is never seeded differs.
        const names = [await workspace({}, at_), await workspace({}, at_)].map(({ made }) => made);
        for (const name of ['id', 'api_key', 'project_id'])
            assert.notEqual(names[0][name], names[1][name]);
    });

    test('S21: auto clocks too', async (t) => {
        const at_ = await serve(t, { args: ['--durability', 'process'] });
        const live = async () => {
            const own = await workspace({ clock: 'auto', seed: 7 }, at_);
            const said = [];
            for (let i = 0; i < 3; i += 1) {
                const { id } = await own.api.newJob({ prompt: 'Call' });
                for (let j = 0; j < 3; j += 1)
                    said.push((await own.api.getJob(id)).text.replace(own.prefix, ''));
            }
            return said;
        };
        assert.deepEqual(await live(), await live());
    });
});

// -- long advances ------------------------------------------------------------------------------

/** Many jobs, made at once; resolves to their ids. */
async function makeJobs(own, count) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    const made = await inParallel(16, Array.from({ length: count }), () =>
        own.api.newJob({}, { agent }));
    agent.destroy();
    return made.map(({ id }) => id);
}

describe('long advances', () => {
    // Each of some thousand events takes its own while, so that others come in between.
    const JOBS = 1500;

    test('C1, C4: API calls run meanwhile; a second advance or a change is clock_busy', async (t) => {
        const at_ = await serve(t);
        const own = await workspace({}, at_);
        const ids = await makeJobs(own, JOBS);
        let over = false;
        const begun = ms((await own.clock()).now);
        const advance = own.advance({ until: 'settled' }).finally(() => { over = true; });
        await until(async () => over || ms((await own.clock()).now) > begun);
        const seen = { busy: 0, cancelled: [], made: [] };
        let last = 0;
        for (let i = ids.length - 1; !over; i -= 1) {
            const answers = await Promise.all([own.tryAdvance({ by: '1ms' }),
                own.trySet('real'), own.clock(), own.api.newJob(),
                own.api.getJob(ids[i]), own.api.cancelJob(ids[i])]);
            if (over) break;
            const [again, change, clock, made, read, cancel] = answers;
            if (isBusy(again) && isBusy(change)) seen.busy += 1;
            assert.ok(ms(clock.now) >= last);
            last = ms(clock.now);
            assert.equal(read.status, 200);
            seen.made.push(made.id);
            if (cancel.status === 200) seen.cancelled.push(ids[i]);
        }
        const { fired, fired_count: count, stopped, next } = await advance;
        assert.ok(seen.busy > 0, 'none came in between');
        assert.ok(seen.made.length > 0);
        assert.equal(stopped, null);
        assert.equal(fired.length, 1000);
        assert.ok(count >= 2 * (JOBS - seen.cancelled.length), String(count));
        for (let i = 1; i < fired.length; i += 1) assert.ok(fired[i].at >= fired[i - 1].at);
        for (const id of [...ids.slice(0, 50), ...seen.cancelled, ...seen.made]) {
            const job = await own.api.readJob(id);
            const times = [job.created_at, job.started_at ?? job.created_at,
                job.completed_at ?? '9999'];
            assert.deepEqual(times, [...times].sort(), JSON.stringify(job));
            if (job.status === 'completed') assert.equal(job.duration_seconds, 290);
        }
        assert.equal(next === null || seen.made.includes(next.job), true);
        assert.equal((await own.tryAdvance({ by: '1ms' })).status, 200);
    });

    test('C1: it goes on where its client leaves, and where the workspace is deleted it ends',
        async (t) => {
            const at_ = await serve(t);
            const own = await workspace({}, at_);
            const ids = await makeJobs(own, JOBS);
            const left = http.request({ host: '127.0.0.1', port: at_.port, method: 'POST',
                path: `${own.prefix}/_mock/clock/advance` });
            left.on('error', () => {});
            left.end(JSON.stringify({ by: '1h' }));
            await until(async () => (await own.clock()).now !== SEEDED_START);
            left.destroy();
            await until(async () => (await own.clock()).now === at(3600_000));
            for (const id of [ids[0], ids.at(-1)])
                assert.equal((await own.api.readJob(id)).completed_at, whole(300_000));

            await makeJobs(own, JOBS);
            const before_ = (await own.clock()).now;
            const advance = own.tryAdvance({ until: 'settled' });
            await until(async () => (await own.clock()).now !== before_);
            await control(at_).remove(own.made.slug);
            const answer = await advance;
            if (answer.status !== 200) assertProblem(answer, 404, 'workspace_not_found');
            assert.equal((await own.control.send('GET', '/clock')).status, 404);
        });

    test('C1: a timeout stops it, and it can go on', async (t) => {
        const at_ = await serve(t);
        const own = await workspace({}, at_);
        await makeJobs(own, JOBS);
        const first = await own.advance({ by: '1h', timeout: '1ms' });
        assert.equal(first.stopped, 'timeout');
        assert.ok(first.fired_count > 0 && first.fired_count < 2 * JOBS);
        assert.notEqual(first.next, null);
        assert.ok(ms(first.now) < ms(at(3600_000)));
        const rest = await own.advance({ to: at(3600_000) });
        assert.deepEqual([rest.now, rest.stopped, rest.next], [at(3600_000), null, null]);
    });

    test('the server\'s stop ends it, and what was committed is there at the next start',
        async (t) => {
            const db = path.join(await temporaryDirectory(t), 'store.db');
            const first = await serve(t, { db });
            const own = await workspace({}, first);
            const ids = await makeJobs(own, JOBS);
            const advance = own.tryAdvance({ until: 'settled' }).catch((error) => error);
            await until(async () => (await own.clock()).now !== SEEDED_START);
            await first.stop(); // with code 0
            const answer = await advance;
            assert.ok(answer.status === 503 || answer.status === 200, answer.text);
            const second = await serve(t, { db });
            const api = studio(second, { key: own.made.api_key });
            const rest = control(second, { prefix: own.prefix });
            assert.equal((await rest.must(200, 'POST', '/clock/advance',
                { body: { until: 'settled' } })).stopped, null);
            for (const id of [ids[0], ids.at(-1)])
                assert.equal((await api.readJob(id)).completed_at, whole(300_000));
        });

    test('after kill -9 each clock goes on as it was', async (t) => {
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const first = await startServer({ db });
        t.after(() => first.kill()); // again, where the test ends before
        const standing = await workspace({}, first);
        const running = await workspace({ clock: { mode: 'scaled', scale: 0.001 } }, first);
        const real = await workspace({ clock: 'real' }, first);
        const { id } = await standing.api.newJob();
        const jumped = await standing.advance({ events: 1 });
        await real.advance({ by: '100h' });
        const due = (await standing.clock()).due;
        const { now: ran } = await running.clock();
        const { now: really } = await real.clock();
        await first.kill();
        const second = await serve(t, { db });
        const clock = (own) =>
            control(second, { prefix: own.prefix }).must(200, 'GET', '/clock');
        assert.deepEqual(await clock(standing), { mode: 'manual', scale: null, now: jumped.now,
            due });
        const slow = await clock(running);
        assert.deepEqual([slow.mode, slow.scale], ['scaled', 0.001]);
        assert.ok(ms(slow.now) >= ms(ran) && ms(slow.now) < ms(ran) + 1000, slow.now);
        assert.ok(ms((await clock(real)).now) >= ms(really));
        assert.ok(ms((await clock(real)).now) < ms(really) + 600_000);
        const own = control(second, { prefix: standing.prefix });
        await own.must(200, 'POST', '/clock/advance', { body: { until: 'settled' } });
        const job = await studio(second, { key: standing.made.api_key }).readJob(id);
        assert.deepEqual([job.started_at, job.completed_at], [whole(10_000), whole(300_000)]);
    });
});
