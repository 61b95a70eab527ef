// POST /reset: back to what the workspace was made with (C1, C5, C9), as a barrier.

import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { inParallel, job as jobBody, raw, rawRequest, serve, studio, temporaryDirectory, until }
    from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { clients, everything, workspace } from './stateful.mjs';

let server;
before(async () => { server = await startServer({ args: ['--durability', 'process'] }); });
after(() => server.stop());

/** A state but for what a reset leaves alone and what counts on. */
async function origin(own) {
    const { keys, members, ...state } = await own.state();
    delete state.clock.at;
    return state;
}

const MADE = { name: 'Made', seed: 5, clock: { mode: 'manual', now: '2030-01-01T00:00:00Z' },
    settings: { queue_time: '1h', jitter: 0.5 }, ttl: '5h',
    rules: [{ match: { operation: 'getScenarioJob' }, do: { respond: '429' }, times: 2, label: 'made' }] };

async function disturb(own) {
    const { id } = await own.api.newJob();
    await own.api.getJob(id); // one of the rule's two times
    await own.mock.must(201, 'POST', '/rules', { body: { match: {}, label: 'later' } });
    await own.mock.must(200, 'PATCH', '/settings', { body: { queue_time: '3s', jitter: 0 } });
    await own.mock.must(200, 'PUT', '/clock', { body: { mode: 'real' } });
    await own.mock.must(200, 'PATCH', `/workspaces/${own.made.slug}`, { body: { name: 'X', ttl: '9h' } });
    await own.mock.must(201, 'POST', '/members', { body: { email: 'new@x.org' } });
    await own.mock.must(201, 'POST', '/keys', { body: {} });
    await own.api.createSession(jobBody());
    await own.projects('p').create({ name: 'n' });
    await own.mock.must(201, 'POST', '/scenarios', { body: { name: 'Later' } });
}

describe('what it puts back', () => {
    test('C1: all that it was made with; keys and members stay', async () => {
        const own = await workspace(server, MADE);
        const made = await origin(own);
        const rule = (await own.mock.must(200, 'GET', '/rules')).items[0];
        await disturb(own);
        const { keys, members } = await own.state();
        const answer = await own.reset();
        const same = { api_key: '', members, clock: '', cursor: '', expires_at: '' };
        assert.deepEqual({ ...answer, ...same }, { ...own.made, ...same });
        assert.equal(answer.clock.now, '2030-01-01T00:00:00.000Z');
        assert.deepEqual(await origin(own), made);
        const after_ = await own.state();
        assert.deepEqual([after_.keys, after_.members], [keys, members]);
        assert.equal(members.length, 2);
        const again = (await own.mock.must(200, 'GET', '/rules')).items;
        assert.deepEqual(again.map(({ uses_left: left, id }) => [left, id]), [[2, rule.id]]);
        assert.equal((await own.api.newJob()).status, 'queued');
    });

    test('keep: rules, settings', async () => {
        const own = await workspace(server, MADE);
        await disturb(own);
        const before_ = await own.state();
        await own.reset({ keep: ['rules', 'settings'] });
        const kept = await own.state();
        assert.deepEqual([kept.rules, kept.settings, kept.jobs], [before_.rules, before_.settings, []]);
        assert.equal((await own.mock.must(200, 'GET', '/rules')).items.length, 2);
        await own.reset({ keep: ['settings'] });
        assert.deepEqual((await own.state()).settings, before_.settings);
        assert.equal((await own.mock.must(200, 'GET', '/rules')).items.length, 1);
        await own.reset({ keep: [] });
        assert.equal((await own.mock.must(200, 'GET', '/settings')).queue_time, '1h');
        for (const keep of [['rule'], ['rules', 1], 'rules', [null]])
            assertProblem(await own.mock.send('POST', '/reset', { body: { keep } }), 422, 'invalid_field',
                /^keep must be .*"rules", "settings"/);
        assertProblem(await own.mock.send('POST', '/reset', { body: { kepe: [] } }), 422,
            'unknown_field', /kepe/, /"keep"/);
        assert.equal((await own.mock.send('POST', '/reset')).status, 200, 'no body');
    });

    test('a state that it was made with, and a workspace of the server\'s start', async () => {
        const one = await everything(server, { clock: 'manual' });
        const { keys, ...state } = await one.state();
        const own = clients(server, await control(server).make({ state }));
        const made = await origin(own);
        await disturb(own);
        await own.reset();
        assert.deepEqual(await origin(own), made);
        const mock = control(server);
        const first = clients(server, { slug: 'acme-corp' });
        const before_ = await origin(first);
        await mock.must(200, 'PATCH', '/workspaces/default', { body: { name: 'X', active: false } });
        await first.mock.must(200, 'PATCH', '/settings', { body: { queue_time: '1h' } });
        await first.reset();
        assert.deepEqual(await origin(first), before_);
    });

    test('slugs begin without numbers again', async () => {
        const own = await workspace(server, { clock: 'manual', seed: 1 });
        const slugOf = async () => {
            const { id } = await own.api.newJob();
            await own.advance({ until: 'settled' });
            return (await own.api.readJob(id)).scenario.slug;
        };
        const first = [await slugOf(), await slugOf(), await slugOf()];
        assert.equal(new Set(first).size, 3);
        await own.reset();
        assert.deepEqual([await slugOf(), await slugOf()], first.slice(0, 2));
    });

    test('S26: the rate limit counts anew', async () => {
        const own = await workspace(server, { settings: { rate_limit: { per_minute: 2 } } });
        const statuses = async () => [await own.api.getJob('x'), await own.api.getJob('x'),
            await own.api.getJob('x')].map(({ status }) => status);
        assert.deepEqual(await statuses(), [404, 404, 429]);
        await own.reset();
        assert.deepEqual(await statuses(), [404, 404, 429]);
    });

    test('after kill -9 and a restart', async (t) => {
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const first = await startServer({ db });
        const one = await workspace(first, MADE);
        const made = await origin(one);
        await disturb(one);
        await first.kill();
        const own = clients(await serve(t, { db }), one.made);
        await own.reset();
        assert.deepEqual(await origin(own), made);
    });
});

describe('the same calls give the same answers', () => {
    /** What every kind of call answers, as bytes; the workspace's own prefix taken out. */
    async function play(own) {
        const texts = [];
        const keep = (answer) => { texts.push(`${answer.status} ${answer.text}`); return answer.body; };
        const one = keep(await own.api.createJob(jobBody({ request_id: 'r' })));
        const two = keep(await own.api.createJob(jobBody({ prompt: 'Say no\n#mock polls_queued=1' })));
        keep(await own.api.createJob(jobBody({ request_id: 'r' })));
        const { url } = keep(await own.api.createSession(jobBody()));
        keep(await own.api.page(new URL(url).pathname.replace(/^\/w\/[^/]*/, '')));
        keep(await own.mock.send('GET', '/clock'));
        keep(await own.mock.send('POST', '/clock/advance', { body: { by: '90m' } }));
        for (const { id } of [one, two, two]) keep(await own.api.getJob(id));
        keep(await own.mock.send('POST', '/scenarios', { body: { name: 'Source' } }));
        const made = keep(await own.projects('p').create({ name: 'n', messages: [] }));
        keep(await own.projects('p').update(made.id, { name: 'm' }));
        keep(await own.projects('p').list());
        keep(await own.mock.send('POST', '/rules', { body: { match: {}, label: 'r', times: 1 } }));
        keep(await own.mock.send('GET', `/jobs/${one.id}`));
        return texts.map((text) => text.replaceAll(own.prefix, ''));
    }
    const fields = { name: 'Same', seed: 'same', clock: 'manual', settings: { queue_time: '1h', jitter: 0.9 } };

    test('S21, E6: after a reset, and in two workspaces of one seed', async () => {
        const one = await workspace(server, fields);
        const two = await workspace(server, fields);
        const first = await play(one);
        assert.deepEqual(await play(two), first);
        for (let i = 0; i < 3; i++) {
            await one.reset();
            assert.deepEqual(await play(one), first);
        }
        const other = await workspace(server, { ...fields, seed: 'other' });
        assert.notDeepEqual(await play(other), first);
    });

    test('S21: a state of a seeded workspace goes on as it would have', async () => {
        const one = await workspace(server, fields);
        await play(one);
        const { keys, ...state } = await one.state();
        const two = clients(server, await control(server).make({ state }));
        assert.equal((await two.api.newJob()).id, (await one.api.newJob()).id);
    });
});

/** How many requests the workspace's APIs have had. */
const requests = async (own) => Number((await own.mock.must(200, 'GET', `/workspaces/${own.made.slug}`))
    .cursor.split('.')[1]);

const LARGE = 16; // scenarios of a megabyte: more than the connection's buffers hold

/**
 * A request that has begun, and is not answered as long as its client does not read: `finish()` does,
 * and resolves to the answer.
 */
async function beginList(own) {
    const project = own.projects('large');
    if (!(await project.list()).body.length)
        await inParallel(4, Array.from({ length: LARGE }), (_, n) =>
            project.create({ name: `n${n}`, instructions: 'x'.repeat(1_000_000) }));
    const before_ = await requests(own);
    const socket = net.connect(server.port, '127.0.0.1');
    socket.write(rawRequest('GET', `${own.prefix}/api/projects/large/scenarios`, ['Connection: close']));
    await until(async () => await requests(own) === before_ + 1);
    const finish = () => new Promise((resolve, reject) => {
        const chunks = [];
        socket.on('error', reject);
        socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
        socket.on('data', (chunk) => chunks.push(chunk));
    });
    return { socket, finish };
}

/** Whether all of the answer to beginList() came. */
function assertWhole(answer) {
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).length, LARGE);
}

/** A reset that has begun and waits: resolves to {answered}, a promise of its answer. */
async function beginReset(own) {
    const answered = own.mock.send('POST', '/reset');
    await until(async () => (await own.mock.send('PUT', '/clock', { body: { mode: 'real' } }))
        .status === 409);
    return { answered };
}

describe('a barrier', () => {
    test('32 connections at once: nothing is left of what began before', async () => {
        const own = await workspace(server, { settings: { queue_time: '1ms', processing_time: '1ms' } });
        for (let round = 0; round < 5; round++) {
            let resetDone = false;
            const traffic = inParallel(32, Array.from({ length: 400 }), async () => {
                const late = resetDone;
                const answer = await own.api.createJob(jobBody());
                assert.equal(answer.status, 201, answer.text);
                return { late, before: !resetDone, id: answer.body.id };
            });
            const reset = (async () => {
                await until(async () => (await own.mock.must(200, 'GET', '/jobs?limit=1')).items.length);
                await own.reset();
                resetDone = true;
            })();
            const [answers] = await Promise.all([traffic, reset]);
            const there = new Set((await own.state()).jobs.map(({ id }) => id));
            // Whatever was asked for after the reset's answer is there.
            for (const { late, id } of answers) if (late) assert.ok(there.has(id), id);
            assert.ok(there.size < answers.length, 'something went');
            await own.mock.must(200, 'POST', '/wait', { body: { until: 'settled', wait: '30s' } });
            for (const id of there)
                assert.equal((await own.api.readJob(id)).status, 'completed');
            await own.reset();
            assert.deepEqual((await own.state()).jobs, []);
        }
    });

    test('what a rule holds up is hurried: the reset does not wait for it', async () => {
        const own = await workspace(server);
        const began = Date.now();
        await own.mock.must(201, 'POST', '/rules', { body: [
            { match: { operation: 'getScenarioJob' }, do: { hang: '60s' } },
            { match: { operation: 'createScenarioJob' }, do: { delay: '60s' } }] });
        const key = [`Authorization: Bearer ${own.made.api_key}`];
        const hung = raw(server, rawRequest('GET', '/rest/v1/scenario-studio/jobs/x', key));
        const delayed = own.api.createJob(jobBody());
        await until(async () => await requests(own) === 2);
        await own.reset();
        const { bytes, closed } = await hung;
        assert.deepEqual([bytes.length, closed], [0, true]);
        assert.equal((await delayed).status, 201, 'answered before');
        assert.deepEqual((await own.state()).jobs, [], 'and then gone');
        assert.ok(Date.now() - began < 30_000);
    });

    test('C9: waits end with 409', async () => {
        const own = await workspace(server);
        const { id } = await own.api.newJob();
        const waits = ['/jobs?min=5&wait=60s', `/jobs/${id}?until=terminal&wait=60s`, '/rules?min=1&wait=60s']
            .map((target) => own.mock.send('GET', target));
        waits.push(own.mock.send('POST', '/wait', { body: { until: 'settled', wait: '60s' } }));
        // A wait that begins after the reset would last: so one reset follows another until all are over.
        let over = false;
        const all = Promise.all(waits).then((answers) => { over = true; return answers; });
        await until(async () => { if (!over) await own.reset(); return over; });
        for (const { status, text } of await all) assert.ok([404, 409, 200].includes(status), text);
        assert.ok((await all).filter(({ status }) => status === 409).length >= 2);
    });

    test('C4: while the clock is moved, a state is 409 clock_busy, and a reset waits', async () => {
        const own = await workspace(server, { clock: 'manual' });
        await inParallel(16, Array.from({ length: 1500 }), () => own.api.newJob());
        const whole_ = await own.state();
        let over = false;
        const advance = own.advance({ by: '76h' }).finally(() => { over = true; });
        let busy;
        while (!over && busy?.status !== 409) busy = await own.mock.send('PUT', '/state', { body: whole_ });
        await own.reset();
        const { fired_count: count } = await advance;
        if (busy.status === 409) assertProblem(busy, 409, 'clock_busy');
        assert.ok([0, 3000].includes(count), `the reset comes before the advance or after it: ${count}`);
        assert.deepEqual((await own.state()).jobs, []);
    });

    test('many at once: one after the other', async () => {
        const own = await workspace(server);
        const answers = await inParallel(8, Array.from({ length: 40 }), () => own.mock.send('POST', '/reset'));
        for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    });

    test('what began before is answered before; what begins meanwhile is not waited for', async () => {
        const own = await workspace(server, { clock: 'real' });
        const one = await beginList(own);
        const reset = await beginReset(own);
        const other = await beginList(own); // after the reset
        const meanwhile = await own.api.newJob();
        assertWhole(await one.finish());
        assert.equal((await reset.answered).status, 200);
        assert.equal((await own.api.getJob(meanwhile.id)).status, 404);
        assert.deepEqual((await own.state()).jobs, []);
        assertWhole(await other.finish()); // as it was when it was asked for
        assert.deepEqual((await own.projects('large').list()).body, []);
    });

    test('a client that is gone holds up nothing, nor one that has not sent all', async () => {
        const own = await workspace(server);
        const half = net.connect(server.port, '127.0.0.1');
        half.write(rawRequest('POST', '/rest/v1/scenario-studio/jobs', ['Content-Length: 100',
            `Authorization: Bearer ${own.made.api_key}`], '{'));
        const { socket } = await beginList(own);
        const { answered } = await beginReset(own);
        socket.destroy();
        assert.equal((await answered).status, 200);
        half.destroy();
    });

    test('C9: DELETE while it waits: 409 at once', async () => {
        const own = await workspace(server);
        const { socket } = await beginList(own);
        const reset = await beginReset(own);
        await control(server).remove(own.made.slug);
        assertProblem(await reset.answered, 409, 'workspace_deleted');
        socket.destroy();
    });

    test('a dripping answer is sent at once', async () => {
        const own = await workspace(server);
        const { id } = await own.api.newJob();
        await own.mock.must(201, 'POST', '/rules', { body:
            { match: { operation: 'getScenarioJob' }, do: { drip: '1B/s' } } });
        const began = Date.now();
        const dripping = own.api.getJob(id);
        await until(async () => (await own.mock.must(200, 'GET', '/rules')).items[0].hit_count === 1);
        await own.reset();
        assert.equal((await dripping).body.id, id);
        assert.ok(Date.now() - began < 30_000);
    });

    test('C9: DELETE meanwhile: the reset ends, and all is gone', async () => {
        for (let i = 0; i < 10; i++) {
            const own = await workspace(server);
            const traffic = inParallel(4, Array.from({ length: 20 }), () => own.api.createJob(jobBody()));
            const [reset, removed] = await Promise.all([own.mock.send('POST', '/reset'),
                control(server).send('DELETE', `/workspaces/${own.made.slug}`), traffic]);
            assert.equal(removed.status, 200, removed.text);
            assert.ok([200, 404, 409].includes(reset.status), reset.text);
            assert.equal((await control(server).send('GET', `/workspaces/${own.made.slug}`)).status, 404);
            assert.equal((await studio(server, { key: own.made.api_key }).getJob('x')).status, 401);
        }
    });
});
