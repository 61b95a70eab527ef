// What rules do to requests, over real connections: each kind of answer and fault, before the
// request does its work and after, on both APIs, on connections that have been used and whose next
// request is waiting; and each outcome by its name.
//
// Times are only ever bounded from below: nothing comes earlier than it may.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { assertError, assertInvalid, DEFAULT_KEY, job, request, scenarios, serve, studio, until }
    from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { ask, json, request as message, Wire } from './wire.mjs';

/** A workspace of the test's own, its clients, and `rule(match, do, …)`, which makes a rule. */
async function place(server, body = {}) {
    const all = control(server);
    const made = await all.make({ members: ['*@acme.com'], ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    return {
        made, prefix, mock,
        api: studio(server, { key: made.api_key, prefix }),
        store: scenarios(server, { prefix, project: 'shop' }),
        rule: (operation, act, rest = { times: 1 }) => mock.must(201, 'POST', '/rules',
            { body: { match: { operation }, do: act, ...rest } }),
    };
}

const slow = { args: ['--queue-time', '1h'] }; // jobs stay where they are put

let server;
before(async () => { server = await startServer(slow); });
after(() => server.stop());

// -- each kind, over the wire ---------------------------------------------------------------------

// A request that makes something, as bytes, and how to see whether it did: again, it answers `made`
// where it had not been made, else `known`. `plain` only reads.
const targets = {
    createScenarioJob({ prefix, made }) {
        const headers = { Authorization: `Bearer ${made.api_key}` };
        const body = JSON.stringify(job({ request_id: 'the-one' }));
        return {
            create: message('POST', `${prefix}/rest/v1/scenario-studio/jobs`, { headers, body }),
            plain: message('GET', `${prefix}/rest/v1/scenario-studio/jobs/nobody`, { headers }),
            plainStatus: 404, made: 201, known: 200,
            refused: { error: { type: 'server_error',
                message: 'An error of the server\'s own; its log says more' } },
        };
    },
    createScenario({ prefix }) {
        const target = `${prefix}/api/projects/shop/scenarios`;
        return {
            create: message('POST', target, { body: '{"name":"the-one"}' }),
            plain: message('GET', target),
            plainStatus: 200, made: 201, known: 409,
            refused: { error: 'An error of the server\'s own; its log says more' },
        };
    },
};

async function isReset(wire) {
    assert.equal((await wire.closed()).length, 0, 'not a byte');
    assert.equal(wire.error?.code, 'ECONNRESET');
}

const since = (begun) => performance.now() - begun;

// What comes of a request: `check` reads it from the wire. `closes`: the connection is over then.
// `works`: the request does what it does, even where the rule does not say after_commit.
const kinds = {
    'an answer': {
        act: { respond: { status: 504, body: { oops: ['é', 1.5, null] },
            headers: { 'X-Why': 'a test', 'Retry-After': '3' } } },
        async check({ wire }) {
            const answer = await wire.response();
            assert.equal(answer.status, 504);
            assert.equal(answer.body.toString(), '{"oops":["é",1.5,null]}');
            assert.match(answer.headers['content-type'], /^application\/json/);
            assert.equal(answer.headers['x-why'], 'a test');
            assert.equal(answer.headers['retry-after'], '3');
        },
    },
    'an answer without a body': {
        act: { respond: { status: 204 } },
        async check({ wire }) {
            const answer = await wire.response();
            assert.equal(answer.status, 204);
            assert.equal(answer.headers['content-type'], undefined);
        },
    },
    'an outcome': {
        act: { respond: '500' },
        async check({ wire, target }) {
            const answer = await wire.response();
            assert.equal(answer.status, 500);
            assert.deepEqual(json(answer), target.refused);
        },
    },
    'a delay': {
        act: { delay: '60ms' }, works: true,
        async check({ wire, target, begun }) {
            assert.equal((await wire.response()).status, target.made);
            assert.ok(since(begun) >= 59, `${since(begun)} ms`);
        },
    },
    'a dropped connection': {
        act: { drop: 'before' }, later: { drop: 'after_commit' }, closes: true,
        check: ({ wire }) => isReset(wire),
    },
    'a hanging connection': {
        act: { hang: '60ms' }, closes: true,
        async check({ wire, begun }) {
            await isReset(wire);
            assert.ok(since(begun) >= 59, `${since(begun)} ms`);
        },
    },
    garbage: {
        act: { garbage: true }, closes: true,
        async check({ wire }) {
            const bytes = (await wire.closed()).toString('latin1');
            assert.ok(bytes.length > 10);
            assert.doesNotMatch(bytes, /HTTP\/\d/);
        },
    },
    'a truncated body': {
        act: { truncate: 10 }, closes: true, works: true,
        async check({ wire, target }) {
            const text = (await wire.closed()).toString('latin1');
            assert.equal(wire.error, undefined, 'what was sent is not lost to a reset');
            const [head, body] = text.split('\r\n\r\n');
            assert.ok(head.startsWith(`HTTP/1.1 ${target.made} `), head);
            assert.ok(Number(/\r\nContent-Length: (\d+)/.exec(head)[1]) > 100, head);
            assert.equal(body.length, 10);
        },
    },
    'a dripping body': {
        act: { drip: '2000B/s' }, works: true,
        async check({ wire, target, begun }) {
            const answer = await wire.response();
            assert.equal(answer.status, target.made);
            assert.ok(json(answer).id);
            assert.ok(since(begun) >= answer.body.length / 2 - 1, `${since(begun)} ms`);
        },
    },
};

for (const [name, kind] of Object.entries(kinds))
    for (const operation of Object.keys(targets))
        for (const isLater of [false, true]) {
            test(`${name}, ${operation}${isLater ? ', after the commit' : ''}`, async () => {
                const own = await place(server);
                const target = targets[operation](own);
                await own.rule(operation, !isLater ? kind.act
                    : kind.later ?? { ...kind.act, when: 'after_commit' });

                const wire = await Wire.open(server.port);
                const used = await wire.send(target.plain).response();
                assert.equal(used.status, target.plainStatus);
                const begun = performance.now();
                wire.send(target.create, target.plain); // the second waits behind
                await kind.check({ wire, target, begun });
                if (kind.closes) assert.ok(wire.over);
                else assert.equal((await wire.response()).status, target.plainStatus);
                wire.destroy();

                const again = await ask(server.port, target.create);
                assert.equal(again.status, kind.works || isLater ? target.known : target.made,
                    again.body.toString());
            });
        }

test('a delay is before the work, or after it', async () => {
    for (const [when, names] of [[undefined, []], ['after_commit', ['the-one']]]) {
        const own = await place(server);
        const { id } = await own.rule('createScenario', { delay: '10m', when });
        const wire = await Wire.open(server.port);
        wire.send(targets.createScenario(own).create);
        await own.mock.must(200, 'GET', `/rules/${id}?min=1&wait=1m`); // it has acted
        const listed = async () => (await own.store.list()).body.map(({ name }) => name);
        if (when) await until(async () => (await listed()).length);
        assert.deepEqual(await listed(), names);
        assert.equal(wire.received, '');
        wire.destroy();
    }
});

test('H3: a HEAD is left alone, and uses nothing up', async () => {
    const own = await place(server);
    const { body: { id } } = await own.store.create({ name: 'one' });
    await own.rule('getScenario', { respond: '404' });
    assert.equal((await own.store.send('HEAD', `/${id}`)).status, 200);
    assert.equal((await own.store.get(id)).status, 404);
    assert.equal((await own.store.get(id)).status, 200);
});

test('what has no body is not cut', async () => {
    const own = await place(server);
    const { body: { id } } = await own.store.create({ name: 'one' });
    await own.rule('deleteScenario', { truncate: 0 });
    assert.equal((await own.store.remove(id)).status, 204);
    assert.equal((await own.store.get(id)).status, 404);
});

test('S1, S3: a key that is not valid, and a workspace that is off, come first', async () => {
    const own = await place(server);
    await own.rule('createScenarioJob', { respond: '500' }, {});
    const strange = studio(server, { key: `exec_live_${'0'.repeat(40)}`, prefix: own.prefix });
    assert.equal((await strange.createJob(job())).status, 401);
    assert.equal((await own.api.createJob(job())).status, 500);
    await control(server).must(200, 'PATCH', `/workspaces/${own.made.slug}`,
        { body: { active: false } });
    assert.equal((await own.api.createJob(job())).status, 403);
});

// -- what a test is after ---------------------------------------------------------------------------

test('S12: a lost response: the job exists, and the retry finds it', async () => {
    const { api, rule } = await place(server);
    const body = job({ request_id: 'order-7' });
    await rule('createScenarioJob', { drop: 'after_commit' });
    await assert.rejects(api.createJob(body), { code: 'ECONNRESET' });
    const retry = await api.createJob(body);
    assert.equal(retry.status, 200);
    assert.equal(retry.body.is_new, false);
    assert.equal((await api.getJob(retry.body.id)).body.status, 'queued');
});

test('a 504 whose job exists, and one whose job does not', async () => {
    const { api, rule } = await place(server);
    const gone = { status: 504, body: { error: { type: 'server_error', message: 'Too late' } } };
    for (const [id, when, status] of [['exists', 'after_commit', 200], ['does-not', undefined, 201]]) {
        await rule('createScenarioJob', { respond: gone, when });
        const lost = await api.createJob(job({ request_id: id }));
        assert.equal(lost.status, 504);
        assert.deepEqual(lost.body, gone.body);
        assert.equal((await api.createJob(job({ request_id: id }))).status, status, id);
    }
});

test('S22: a cancel that loses: the job has completed, and the answer says so', async () => {
    const { api, rule } = await place(server);
    const { id } = await api.newJob();
    await rule('cancelScenarioJob', { transition: { to: 'completed' } });
    assertInvalid(await api.cancelJob(id), 'job_not_cancellable',
        'Cannot cancel job in \'completed\' state');
    const now = await api.readJob(id);
    assert.equal(now.status, 'completed');
    assert.ok(now.scenario.id);
});

test('S26: a 429 says when to come back, and the next request is served', async () => {
    const { api, rule } = await place(server);
    for (const [act, seconds] of [[{ respond: '429', retry_after: 7 }, 7],
        [{ respond: 'createScenarioJob:429' }, 30], [{ respond: '429', retry_after: 0 }, 0]]) {
        await rule('createScenarioJob', act);
        const refused = await api.createJob(job());
        assert.equal(refused.status, 429);
        assert.equal(refused.headers['retry-after'], String(seconds));
        assert.equal(refused.text, JSON.stringify({ error: { type: 'rate_limited',
            message: 'Rate limit exceeded', retry_after: seconds } }));
        assert.equal((await api.createJob(job())).status, 201);
    }
});

test('a rule for an outcome acts on what may answer so, and is not used up by other requests', async () => {
    const { store, mock } = await place(server);
    await mock.must(201, 'POST', '/rules',
        { body: { match: {}, do: { respond: '409' }, times: 1 } });
    assert.equal((await store.list()).status, 200);
    assert.equal((await store.create({ name: 'one' })).status, 409);
    assert.equal((await store.create({ name: 'one' })).status, 201);
});

test('C2: an outcome that there is not is refused when it is written, with what is meant', async () => {
    const { mock } = await place(server);
    for (const [operation, respond, detail, hint] of [
        [undefined, '400:user_not_fuond', /400:user_not_fuond/, /did you mean "400:user_not_found"/],
        ['getScenarioJob', 'createScenarioJob:429', /of getScenarioJob/, /did you mean "429"/],
        ['listScenarios', 'teapot', /"teapot" of listScenarios/, /known here: 200, 200:empty, /]])
        assertProblem(await mock.send('POST', '/rules',
            { body: { match: { operation }, do: { respond } } }), 422, 'invalid_field', detail, hint);
    assert.deepEqual((await mock.must(200, 'GET', '/rules')).items, []);
});

test('C2: headers that belong to the connection are refused when they are written', async () => {
    const { mock, store, rule } = await place(server);
    const respond = (headers) => ({ respond: { status: 200, headers } });
    for (const name of ['Connection', 'content-length', 'Transfer-Encoding', 'Date', 'Keep-Alive',
        'TE', 'Trailer', 'Upgrade', 'Proxy-Connection', 'a b', ''])
        assertProblem(await mock.send('POST', '/rules',
            { body: { match: {}, do: respond({ [name]: 'x' }) } }), 422, 'invalid_field', /headers/);
    await rule('listScenarios', respond({ 'Set-Cookie': 'a=b', Location: '/elsewhere' }));
    const { headers } = await store.list();
    assert.deepEqual([headers['set-cookie'], headers.location], [['a=b'], '/elsewhere']);
});

// -- outcomes ---------------------------------------------------------------------------------------

/** Answers for each outcome what its sample has, from a request that has the sample's values. */
const requests = {
    createScenarioStudioSession: ['POST', '/rest/v1/scenario-studio'],
    createScenarioJob: ['POST', '/rest/v1/scenario-studio/jobs'],
    getScenarioJob: ['GET', '/rest/v1/scenario-studio/jobs/j1o2b3i4d5x6'],
    cancelScenarioJob: ['DELETE', '/rest/v1/scenario-studio/jobs/j1o2b3i4d5x6'],
    listScenarios: ['GET', '/api/projects/nowhere/scenarios'],
    createScenario: ['POST', '/api/projects/nowhere/scenarios'],
    getScenario: ['GET', '/api/projects/nowhere/scenarios/none'],
    updateScenario: ['PUT', '/api/projects/nowhere/scenarios/none'],
    deleteScenario: ['DELETE', '/api/projects/nowhere/scenarios/none'],
    openChat: ['GET', '/chat/none'],
    showScenario: ['GET', '/scenarios/none'],
};
const sampleBody = { user_email: 'unknown@example.com', scenario_slug: 'invalid-slug',
    name: 'booking-cancellation' };

test('each outcome, asked for by its name, answers its sample, before and after the commit', async (t) => {
    const own = await serve(t, slow);
    const mock = control(own);
    const { items } = await mock.must(200, 'GET', '/outcomes');
    assert.deepEqual(new Set(items.map(({ operation }) => operation)),
        new Set(Object.keys(requests)));
    for (const { id, operation, status, sample } of items)
        for (const when of [undefined, 'after_commit']) {
            await mock.must(201, 'POST', '/rules',
                { body: { match: { operation }, do: { respond: id, when }, times: 1 } });
            const [method, target] = requests[operation];
            const hasBody = method === 'POST' || method === 'PUT';
            const answer = await request(own, method, target, {
                headers: { Host: 'localhost:3000', Authorization: `Bearer ${DEFAULT_KEY}`,
                    ...(hasBody && { 'Content-Type': 'text/plain' }) },
                body: hasBody ? sampleBody : undefined,
            });
            assert.equal(answer.status, status, id);
            assert.deepEqual(answer.body ?? (answer.text || undefined), sample.body, id);
            for (const name of ['Content-Type', 'WWW-Authenticate', 'Retry-After', 'Allow',
                'Content-Security-Policy', ...Object.keys(sample.headers)])
                assert.equal(answer.headers[name.toLowerCase()], sample.headers[name], `${id} ${name}`);
        }
    // The journal tells them apart by what was answered.
    const { items: seen } = await mock.must(200, 'GET', '/requests');
    assert.deepEqual(seen.map(({ outcome }) => outcome), items.flatMap(({ id }) => [id, id]));
});

test('S8, S9, S16, E2: the values in messages are the request\'s own', async () => {
    const { api, store, rule } = await place(server);
    await rule('createScenarioJob', { respond: '400:user_not_found' });
    assertInvalid(await api.createJob(job({ user_email: 'Joe "x"@acme.com' })),
        'user_not_found', 'No user found with email: Joe "x"@acme.com');
    await rule('createScenarioJob', { respond: '404' });
    assertError(await api.createJob(job({ scenario_slug: 'a/b' })), 404, 'not_found', null,
        'Scenario not found: a/b');
    await rule('getScenarioJob', { respond: '404' });
    assertError(await api.getJob('abc'), 404, 'not_found', 'job_not_found',
        'Job not found: abc');
    await rule('createScenario', { respond: '409' });
    assert.deepEqual((await store.create({ name: 'ünï' })).body,
        { error: 'Scenario with name "ünï" already exists' });
});

test('S18, S20: the job that is there, in the state that was asked for', async () => {
    const { api, rule, made } = await place(server);
    const real = await api.newJob({ request_id: 'r' });
    delete real.is_new;
    const shows = async (outcome) => {
        await rule('getScenarioJob', { respond: `200:${outcome}` });
        const { body, status } = await api.getJob(real.id);
        assert.equal(status, 200);
        assert.deepEqual(Object.keys(body), Object.keys(real));
        assert.equal(body.id, real.id);
        assert.equal(body.created_at, real.created_at);
        assert.equal(body.status, outcome.split(':')[0]);
        return body;
    };
    assert.deepEqual(await shows('queued'), real);
    const processing = await shows('processing');
    assert.ok(processing.started_at);
    assert.equal(processing.completed_at, null);
    const completed = await shows('completed');
    assert.ok(completed.completed_at >= completed.started_at);
    assert.equal(typeof completed.duration_seconds, 'number');
    assert.ok(completed.scenario.url.startsWith(
        `${made.base_urls.studio.replace('/rest/v1', '')}/scenarios/`), completed.scenario.url);
    const failed = await shows('failed:CONTENT_POLICY_VIOLATION');
    assert.deepEqual(failed.error, { code: 'CONTENT_POLICY_VIOLATION',
        message: 'The prompt violates the content policy' });
    assert.equal(failed.scenario, null);
    const cancelled = await shows('cancelled');
    assert.equal(cancelled.started_at, null);
    assert.ok(cancelled.completed_at);
    assert.deepEqual(await api.readJob(real.id), real, 'the job itself is as it was');

    await rule('createScenarioJob', { respond: '200' });
    const known = await api.createJob(job({ request_id: 'r' }));
    assert.equal(known.body.id, real.id);
    assert.equal(known.body.is_new, false);
});

test('S17: a cancel is refused with the end that the job has come to', async () => {
    const { api, rule } = await place(server);
    const { id } = await api.newJob();
    for (const status of ['completed', 'cancelled']) {
        await rule('cancelScenarioJob', { respond: '400:job_not_cancellable' });
        assertInvalid(await api.cancelJob(id), 'job_not_cancellable',
            `Cannot cancel job in '${status}' state`, 'of a queued job it is a guess');
        if (status === 'completed') assert.equal((await api.cancelJob(id)).status, 200);
    }
});

test('a cancel that is said to have worked, and has not', async () => {
    const { api, rule } = await place(server);
    const { id } = await api.newJob();
    await rule('cancelScenarioJob', { respond: '200' });
    const answer = await api.cancelJob(id);
    assert.equal(answer.body.id, id);
    assert.equal(answer.body.status, 'cancelled');
    assert.equal((await api.readJob(id)).status, 'queued');
});

test('E3: the scenario that is there', async () => {
    const { store, rule } = await place(server);
    const { body: own } = await store.create({ name: 'mine', maxMessages: 3 });
    await rule('updateScenario', { respond: '200' });
    assert.deepEqual((await store.update(own.id, { name: 'other' })).body, own);
    await rule('getScenario', { respond: '200' });
    assert.deepEqual((await store.get(own.id)).body, own);
});
