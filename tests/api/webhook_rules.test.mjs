// Callbacks that misbehave because a rule says so: S25, S14 (what the one who makes the job is
// answered), C10 (a callback's delay is of the workspace's clock, how long an answer waits is real).

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';
import { before, describe, test } from 'node:test';

import { inParallel, job as jobBody, serve, studio, temporaryDirectory, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { receive } from './receiver.mjs';

const { Webhook } = createRequire(new URL('../contract/package.json', import.meta.url))('standardwebhooks');

let server;

before(async (t) => { server = await serve(t); });

/** A workspace whose jobs end when they are told to. `rules`: of do.webhook alone, its objects. */
async function workspace({ webhook, on = server, ...body } = {}) {
    const rules = [webhook ?? []].flat().map((one) => ({ match: {}, do: { webhook: one }, times: 1 }));
    const made = await control(on).make({ members: ['*'], clock: 'manual', rules, ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(on, { prefix });
    const api = studio(on, { prefix, key: made.api_key });
    const own = { made, mock, api,
        state: () => mock.must(200, 'GET', '/state'),
        deliveries: async () => (await own.state()).deliveries,
        end: async (id, to = 'completed') => mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to } }),
        advance: (by) => mock.must(200, 'POST', '/clock/advance', { body: { by } }),
        async ended(fields) {
            const { id } = await api.newJob(fields);
            await own.end(id);
            return id;
        },
        settled: () => until(async () => (await own.deliveries()).every(({ status }) => status !== 'pending')),
    };
    return own;
}

describe('what comes', () => {
    test('duplicate: so many in all, of one id, by one rule', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ webhook: { duplicate: 3 },
            settings: { webhook_secrets: [`whsec_${randomBytes(24).toString('base64')}`] } });
        const first = await own.ended({ callback_url: receiver.url });
        const came = await receiver.came(3);
        assert.equal(new Set(came.map(({ text }) => text)).size, 1);
        assert.equal(came[0].json.id, first, 'by which a receiver tells a repeat');
        assert.equal(new Set(came.map(({ headers }) => headers['webhook-id'])).size, 1);
        const deliveries = await own.deliveries();
        const [rule] = (await own.mock.must(200, 'GET', '/rules')).items;
        assert.equal(new Set(deliveries.map(({ id }) => id)).size, 3);
        assert.deepEqual([...new Set(deliveries.map((one) => one.rule))], [rule.id]);
        assert.deepEqual([...new Set(deliveries.map((one) => one.message))], [deliveries[0].id]);
        const second = await own.ended({ callback_url: receiver.url });
        assert.equal((await receiver.came(4))[3].json.id, second, 'the rule is used up');
        await own.settled();
        assert.equal(receiver.requests.length, 4);
    });

    test('C10: delay is of the workspace\'s clock', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ webhook: [{ delay: '10m' }, { delay: '876600h' }] });
        await own.ended({ callback_url: receiver.url });
        await own.advance('599999ms');
        assert.deepEqual((await own.deliveries()).map(({ status, attempts }) => [status, attempts]),
            [['pending', 0]]);
        await own.advance('1ms');
        await receiver.came(1);
        await own.settled();
        await own.ended({ callback_url: receiver.url });
        const { now } = await own.mock.must(200, 'GET', '/clock');
        const [, late] = await own.deliveries();
        assert.ok(Date.parse(late.due_at) - Date.parse(now) > 99 * 365 * 86400_000);
        assert.equal(receiver.requests.length, 1);
    });

    test('drop: it never comes, and the next one does', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ webhook: { drop: true } });
        const dropped = await own.ended({ callback_url: receiver.url });
        const sent = await own.ended({ callback_url: receiver.url });
        assert.equal((await receiver.came(1))[0].json.id, sent);
        await own.settled();
        await own.advance('100h');
        assert.deepEqual((await own.deliveries()).map((one) => [one.job, one.status, one.attempts]),
            [[dropped, 'dropped', 0], [sent, 'delivered', 1]]);
        assert.equal(receiver.requests.length, 1);
    });

    test('hold: it waits, whatever the clock shows', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ webhook: { hold: true, duplicate: 2 } });
        await own.ended({ callback_url: receiver.url });
        await own.advance('100h');
        assert.deepEqual((await own.deliveries()).map(({ status, due_at: due }) => [status, due]),
            [['held', null], ['held', null]]);
        assert.equal(receiver.requests.length, 0);
    });

    test('truncate: the body ends there and says so; a signature is of the whole', async (t) => {
        const receiver = await receive(t);
        const secret = `whsec_${randomBytes(32).toString('base64')}`;
        const own = await workspace({ webhook: [{ truncate: 40 }, { truncate: 0 }, { truncate: 1000000 }],
            settings: { webhook_secrets: [secret] } });
        for (const [i, cut] of [40, 0, 1000000].entries()) {
            const id = await own.ended({ callback_url: receiver.url });
            const whole = (await own.api.getJob(id)).text;
            const { body, headers } = (await receiver.came(i + 1))[i];
            assert.equal(body.toString(), whole.slice(0, cut));
            assert.equal(headers['content-length'], String(Math.min(cut, whole.length)));
            assert.ok(new Webhook(secret).verify(whole, headers));
            if (cut < whole.length)
                assert.throws(() => new Webhook(secret).verify(body.toString(), headers));
        }
    });

    test('body: a text as it is, all else as JSON', async (t) => {
        const receiver = await receive(t);
        const bodies = [['not json', 'not json'], ['', ''], ['ünï 🎭\r\n', 'ünï 🎭\r\n'],
            [{ status: 'done', n: 1.50, a: [] }, '{"status":"done","n":1.5,"a":[]}'], [null, 'null'], [[], '[]'],
            ['x'.repeat(60000), 'x'.repeat(60000)]];
        const own = await workspace({ webhook: bodies.map(([body]) => ({ body })) });
        for (const [i, [, text]] of bodies.entries()) {
            await own.ended({ callback_url: receiver.url });
            const request = (await receiver.came(i + 1))[i];
            assert.equal(request.text, text);
            assert.equal(request.headers['content-type'], 'application/json');
        }
    });

    test('several at once: twice, late, cut, and no job at all', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ webhook: { duplicate: 2, delay: '5s', truncate: 3, body: 'garbage' } });
        await own.ended({ callback_url: receiver.url });
        await own.advance('4s');
        assert.equal(receiver.requests.length, 0);
        await own.advance('1s');
        assert.deepEqual((await receiver.came(2)).map(({ text }) => text), ['gar', 'gar']);
    });
});

describe('which jobs', () => {
    test('a rule is used up by a job with a callback alone, and tells which', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ webhook: { drop: true } });
        const uses = async () => (await own.mock.must(200, 'GET', '/rules')).items
            .map((rule) => [rule.uses_left, rule.hit_count, rule.hits.map(({ job }) => job)]);
        await own.ended({});
        const { body: session } = await own.api.createSession(jobBody());
        await own.api.page(`/chat/${session.id}`);
        await own.api.createJob(jobBody({ callback_url: receiver.url, scenario_slug: 'no-such' }));
        await own.api.createJob(jobBody({ callback_url: receiver.url, prompt: 5 }));
        assert.deepEqual(await uses(), [[1, 0, []]]);
        const id = await own.ended({ callback_url: receiver.url, request_id: 'r' });
        assert.deepEqual(await uses(), [[0, 1, [id]]]);
        await own.mock.must(201, 'POST', '/rules', { body: { match: {}, do: { webhook: { drop: true } }, times: 1 } });
        await own.api.createJob(jobBody({ callback_url: receiver.url, request_id: 'r' }));
        assert.deepEqual(await uses(), [[0, 1, [id]], [1, 0, []]], 'a known request_id makes no job');
    });

    test('a rule for the job and one for its callback act on the same request', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ rules: [
            { match: { email: '*@b.test' }, do: { webhook: { duplicate: 2 } } },
            { match: { email: 'a@b.test' }, do: { job: { end: 'failed', error: { code: 'X' } } } },
            { match: { operation: 'createScenarioJob' }, do: { respond: { status: 502 }, when: 'after_commit' } }] });
        const answer = await own.api.createJob(jobBody({ user_email: 'a@b.test', callback_url: receiver.url }));
        assert.equal(answer.status, 502);
        await own.advance('1h');
        const came = await receiver.came(2);
        assert.deepEqual(came.map(({ json }) => json.error.code), ['X', 'X']);
    });

    test('S22: an exact number of parallel jobs is acted on', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ clock: 'real', settings: { queue_time: '0ms', processing_time: '0ms' },
            rules: [{ match: {}, do: { webhook: { duplicate: 2 } }, times: 7 }] });
        await inParallel(16, Array.from({ length: 40 }), () => own.api.newJob({ callback_url: receiver.url }));
        const counts = new Map();
        for (const { json } of await receiver.came(47)) counts.set(json.id, (counts.get(json.id) ?? 0) + 1);
        assert.deepEqual([...counts.values()].sort(), [...Array(33).fill(1), ...Array(7).fill(2)]);
    });

    test('what a job has in store for its callback outlives a restart', async (t) => {
        const receiver = await receive(t);
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const first = await serve(t, { db });
        const own = await workspace({ on: first, webhook: { duplicate: 2, body: 'kept' } });
        const { id } = await own.api.newJob({ callback_url: receiver.url });
        await first.stop();
        const second = control(await serve(t, { db }), { prefix: `/w/${own.made.slug}` });
        await second.must(200, 'POST', `/jobs/${id}/transition`, { body: { to: 'failed' } });
        assert.deepEqual((await receiver.came(2)).map(({ text }) => text), ['kept', 'kept']);
    });

    test('a state has it, and is refused where it is none', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ webhook: { duplicate: 2, body: { a: 'b' } } });
        const { id } = await own.api.newJob({ callback_url: receiver.url });
        const state = await own.state();
        const [rule] = (await own.mock.must(200, 'GET', '/rules')).items;
        assert.deepEqual([state.jobs[0].plan.webhook, state.jobs[0].plan.webhook_rule],
            [{ duplicate: 2, body: { a: 'b' } }, rule.id]);
        const other = await workspace({ state: { ...state, keys: undefined }, rules: [] });
        await other.end(id);
        assert.deepEqual((await receiver.came(2)).map(({ text }) => text), ['{"a":"b"}', '{"a":"b"}']);
        for (const [webhook, problem] of [[{ duplicate: 1 }, /^jobs\[0\]\.plan\.webhook\.duplicate must be/],
            [{ dupe: 2 }, /jobs\[0\]\.plan\.webhook\."dupe"/], [{}, /^jobs\[0\]\.plan\.webhook must have at least/],
            ['x', /^jobs\[0\]\.plan\.webhook must be an object/]]) {
            state.jobs[0].plan.webhook = webhook;
            assertProblem(await own.mock.send('PUT', '/state', { body: state }), 422, 'invalid_state', problem);
        }
    });

    for (const [webhook, detail, hint] of [
        [{ duplicat: 2 }, /do\.webhook\."duplicat"/, /did you mean "duplicate"/],
        [{ delay: 600 }, /^do\.webhook\.delay must be a duration/],
        [{ send: 'before' }, /^do\.webhook\.send must be before_answer/, /before_answer/],
        [{ drop: true, duplicate: 2 }, /^do\.webhook\.drop goes with nothing else/],
    ]) {
        test(`C2: ${JSON.stringify(webhook)} is refused`, async () => {
            const own = await workspace();
            const answer = await own.mock.send('POST', '/rules', { body: { match: {}, do: { webhook } } });
            assertProblem(answer, 422, 'duplicat' in webhook ? 'unknown_field' : 'invalid_field', detail, hint);
        });
    }
});

describe('before the answer', () => {
    const early = { webhook: { send: 'before_answer' } };
    const QUEUED = ['id', 'status', 'scenario', 'error', 'created_at', 'started_at', 'completed_at',
        'duration_seconds', 'is_new'];

    function assertQueued(answer, id) {
        assert.equal(answer.status, 201, answer.text);
        assert.deepEqual(Object.keys(answer.body), QUEUED);
        const { created_at: created, ...rest } = answer.body;
        assert.match(created, /Z$/);
        assert.deepEqual(rest, { id, status: 'queued', scenario: null, error: null, started_at: null,
            completed_at: null, duration_seconds: null, is_new: true });
    }

    test('S14: the callback comes and is answered first; then the job is told as queued', async (t) => {
        const own = await workspace({ webhook: [{ send: 'before_answer' }, { send: 'before_answer', duplicate: 2 }] });
        let answered = false;
        const came = new Set();
        const receiver = await receive(t, { answer: async ({ json }) => {
            const { body } = await own.api.getJob(json.id); // a receiver that calls the API is answered
            assert.deepEqual(body, json);
            assert.equal(body.status, 'completed');
            assert.ok(came.has(json.id) || !answered); // a duplicate may come later
            came.add(json.id);
            return 204;
        } });
        for (const count of [1, 2]) {
            const asked = own.api.createJob(jobBody({ callback_url: receiver.url }));
            asked.then(() => { answered = true; });
            const { json } = (await receiver.came(count))[count - 1];
            assertQueued(await asked, json.id);
            const { transitions, status } = await own.mock.must(200, 'GET', `/jobs/${json.id}`);
            assert.equal(status, 'completed');
            assert.deepEqual(transitions.map(({ cause }) => cause), ['request', 'rule', 'rule']);
            await until(async () => (await own.deliveries()).filter((one) => one.job === json.id
                && one.status === 'delivered').length === count);
            answered = false;
        }
    });

    test('whatever is said of its times, and with the end that is said', async (t) => {
        const receiver = await receive(t);
        const own = await workspace({ ...early, settings: { queue_time: '5h', max_processing: 1 } });
        await own.mock.must(201, 'POST', '/rules', { body: { match: {},
            do: { job: { hold_at: 'processing', end: 'failed', error: { code: 'X' } } } } });
        assert.equal((await own.api.createJob(jobBody({ callback_url: receiver.url }))).body.status, 'queued');
        const [{ json }] = await receiver.came(1);
        assert.deepEqual([json.status, json.error.code, json.duration_seconds], ['failed', 'X', 0]);
    });

    test('an attempt that fails is one, too', async (t) => {
        const receiver = await receive(t, { answer: 500 });
        const own = await workspace({ webhook: [{ send: 'before_answer' }, { send: 'before_answer' }] });
        for (const url of [receiver.url, 'http://127.0.0.1:1/']) {
            const answer = await own.api.createJob(jobBody({ callback_url: url }));
            assertQueued(answer, answer.body.id);
            assert.equal((await own.deliveries()).at(-1).attempts, 1);
        }
    });

    test('nobody waits for what is not sent', async () => {
        const own = await workspace({ ...early, settings: { callback_on: ['failed'], callback_timeout: '10m' } });
        const answer = await own.api.createJob(jobBody({ callback_url: 'http://127.0.0.1:1/' }));
        assertQueued(answer, answer.body.id);
        assert.deepEqual(await own.deliveries(), []);
    });

    test('C10: the answer waits for callback_timeout at most, in real time', async (t) => {
        const receiver = await receive(t, { answer: () => undefined });
        const own = await workspace({ ...early, settings: { callback_timeout: '300ms' } });
        const started = Date.now();
        const answer = await own.api.createJob(jobBody({ callback_url: receiver.url }));
        const took = Date.now() - started;
        assertQueued(answer, receiver.requests[0].json.id);
        assert.ok(took >= 290 && took < 10_000, `${took} ms`);
    });

    /** A request that waits for a receiver that never answers, and that receiver's one request. */
    async function waiting(t, on) {
        const receiver = await receive(t, { answer: () => undefined });
        const own = await workspace({ ...early, on, settings: { callback_timeout: '10m' } });
        const asked = own.api.createJob(jobBody({ callback_url: receiver.url, request_id: 'r' }));
        const [{ json }] = await receiver.came(1);
        return { own, asked, id: json.id };
    }

    test('S12: meanwhile its request_id finds the job as it is', async (t) => {
        const { own, asked, id } = await waiting(t);
        const { status, body } = await own.api.createJob(jobBody({ request_id: 'r' }));
        assert.deepEqual([status, body.id, body.status, body.is_new], [200, id, 'completed', false]);
        await own.mock.must(200, 'POST', '/reset');
        assertQueued(await asked, id);
    });

    for (const [name, end] of [
        ['a reset', (own) => own.mock.must(200, 'POST', '/reset')],
        ['a deletion', (own) => control(server).remove(own.made.slug)],
    ]) {
        test(`${name} does not wait for it`, async (t) => {
            const { own, asked, id } = await waiting(t);
            const started = Date.now();
            await end(own);
            assertQueued(await asked, id);
            assert.ok(Date.now() - started < 20_000, `${Date.now() - started} ms`);
        });
    }

    test('nor does the server\'s stop', async (t) => {
        const own = await serve(t);
        const { asked, id } = await waiting(t, own);
        const started = Date.now();
        await Promise.all([own.stop(), asked.then((answer) => assertQueued(answer, id))]);
        assert.ok(Date.now() - started < 20_000, `${Date.now() - started} ms`);
    });

    test('many at once, each after its own', async (t) => {
        const own = await workspace({ rules: [{ match: {}, do: { webhook: { send: 'before_answer' } } }] });
        const told = new Set();
        const receiver = await receive(t, { answer: ({ json }) => { told.add(json.id); return 200; } });
        await inParallel(32, Array.from({ length: 200 }), async () => {
            const { id } = await own.api.newJob({ callback_url: receiver.url });
            assert.ok(told.has(id), id);
        });
    });
});
