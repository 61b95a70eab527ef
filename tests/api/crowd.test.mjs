// Many clients that do everything at once, in one workspace and in several that come and go: whatever
// meets, nothing is counted twice, lost or answered with an error of ours. Bounded by counts, not by time.

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';

import { job, makeKey, request, scenarios, serve, studio, until } from './client.mjs';
import { control } from './control.mjs';
import { exercised, reportOf } from './report.mjs';

const CLIENTS = 12;
const ROUNDS = 60; // of each client; a request or two each

/** Listens until something was heard, and leaves without a word. */
function overhear(server, prefix) {
    return new Promise((resolve, reject) => {
        const req = http.get({ host: '127.0.0.1', port: server.port, agent: false, path: `${prefix}/_mock/events` });
        req.on('response', (res) => {
            res.once('data', () => req.destroy());
            res.on('error', () => {}); // its own leaving
            res.on('close', () => resolve({ status: res.statusCode, text: 'a stream' }));
        });
        req.on('error', reject);
    });
}

/** What a client knows of a workspace, and what all that share it have counted. */
function stand(server, { slug, key }) {
    const prefix = `/w/${slug}`;
    const stood = { slug, key, prefix, mock: control(server, { prefix }), made: [], counted: 0, made_by: new Map() };
    const api = studio(server, { key });
    const project = scenarios(server, { prefix });
    const count = (pending) => { stood.counted += 1; return pending; };
    const some = (n) => stood.made[n % stood.made.length] ?? 'none';
    const ask = (method, path, body) => stood.mock.send(method, path, body && { body });

    /** Each (n) resolves to an answer; n is another one for each request. */
    stood.actions = {
        async create(n) {
            const id = n % 3 === 0 ? `r-${Math.floor(n / CLIENTS)}` : `own-${n}`; // the others' too, or its own
            const answer = await count(api.createJob(job({ request_id: id,
                callback_url: `${server.url}${prefix}/_mock/inbox/crowd` })));
            if (answer.body?.is_new) {
                stood.made.push(answer.body.id);
                stood.made_by.set(id, (stood.made_by.get(id) ?? 0) + 1);
            }
            return answer;
        },
        poll: (n) => count(api.getJob(some(n))),
        cancel: (n) => count(api.cancelJob(some(n))),
        async session(n) {
            const answer = await count(api.createSession(job({ request_id: `s-${n % 8}` })));
            return answer.status === 200 ? count(api.page(new URL(answer.body.url).pathname)) : answer;
        },
        async show(n) {
            const answer = await count(api.getJob(some(n)));
            return answer.body?.scenario ? count(api.page(new URL(answer.body.scenario.url).pathname)) : answer;
        },
        async scenario(n) {
            const made = await count(project.create({ name: `Call ${n % 5}` }));
            return made.status === 201 ? count(project.remove(made.body.id)) : made;
        },
        list: () => count(project.list()),
        advance: (n) => ask('POST', '/clock/advance', { by: `${n % 9}s` }),
        transition: (n) => ask('POST', `/jobs/${some(n)}/transition`, { to: n % 2 ? 'failed' : 'completed' }),
        rule: (n) => ask('POST', '/rules', { label: 'crowd', match: {}, times: 1 + n % 3, do: { job: { end: 'failed' } } }),
        unrule: () => ask('DELETE', '/rules?label=crowd'),
        settings: (n) => ask('PATCH', '/settings', { max_processing: n % 3 }),
        waitForJob: (n) => ask('GET', `/jobs/${some(n)}?until=terminal&wait=200ms`),
        waitForRequest: (n) => ask('GET', `/requests?min=${n}&wait=200ms`),
        verify: (n) => ask('POST', '/verify', { match: { operation: 'getScenarioJob' }, min: n, wait: '100ms' }),
        webhooks: () => ask('GET', '/webhooks?limit=20'),
        inbox: () => ask('GET', '/inbox/crowd?limit=20'),
        events: () => overhear(server, prefix),
        timeline: (n) => ask('GET', `/jobs/${some(n)}/timeline`),
        lint: () => ask('GET', '/lint'),
        state: () => ask('GET', '/state'),
        report: () => ask('GET', '/report'),
        metrics: () => request(server, 'GET', '/metrics'),
    };
    return stood;
}

/** Each client does all of it in turn, beginning elsewhere: so nearly every two things meet. */
async function crowd(choices) {
    const seen = {};
    await Promise.all(Array.from({ length: CLIENTS }, async (_, client) => {
        for (let round = 0; round < ROUNDS; round += 1) {
            const [name, act] = choices[(round * (1 + client % 2) + client * 5) % choices.length];
            const { status, text } = await act(round * CLIENTS + client);
            assert.ok([200, 201, 204, 400, 401, 404, 409].includes(status), `${name}: ${status} ${text}`);
            (seen[name] ??= new Set()).add(status);
        }
    }));
    return seen;
}

/** Moves the clock until nothing is left to do, whoever may still have it. */
async function settle({ mock }) {
    await until(async () => (await mock.send('POST', '/clock/advance', { body: { until: 'settled' } })).status === 200);
    return (await mock.must(200, 'GET', '/state')).jobs;
}

function assertEnded(jobs) {
    for (const { status, created_at: created, started_at: started, completed_at: completed } of jobs) {
        assert.ok(['completed', 'failed', 'cancelled'].includes(status), status);
        assert.ok(created <= (started ?? created) && (started ?? created) <= completed, `${created} ${started} ${completed}`);
    }
}

const timing = { members: ['*'], clock: 'manual', settings: { queue_time: '5s', processing_time: '9s' } };

test('S12, S22, S25: of all that a crowd does in one workspace each thing is there once', async (t) => {
    const server = await serve(t);
    const { slug, api_key: key } = await control(server).make(timing);
    const one = stand(server, { slug, key });
    const seen = await crowd(Object.entries(one.actions));
    assert.ok(seen.create.has(201) && seen.cancel.has(200) && seen.advance.has(200), JSON.stringify(Object.keys(seen)));

    const jobs = await settle(one);
    assertEnded(jobs);
    for (const [id, count] of one.made_by) assert.equal(count, 1, `request_id ${id}`);
    assert.deepEqual(jobs.filter(({ session }) => !session).map(({ id }) => id).sort(), one.made.sort());
    const { items } = await one.mock.must(200, 'GET', '/inbox/crowd?limit=1000');
    const told = items.map(({ body }) => (typeof body === 'string' ? JSON.parse(body) : body));
    assert.deepEqual(told.map(({ id }) => id).sort(), one.made, 'one callback each');
    const ends = new Map(jobs.map(({ id, status }) => [id, status]));
    for (const { id, status } of told) assert.equal(status, ends.get(id));

    const journal = await one.mock.must(200, 'GET', '/requests?limit=1000');
    assert.equal(journal.items.length, one.counted);
    assert.equal(new Set(journal.items.map(({ id }) => id)).size, one.counted);
    const report = await reportOf(server, '', { prefix: one.prefix });
    assert.equal(report.requests.total, one.counted);
    assert.equal(exercised(report)['createScenarioJob:201'], one.made.length);
});

test('C1, C9: what a crowd does in workspaces that come and go is counted once, and nothing stays behind', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    const slugs = ['one', 'two', 'three'];
    const make = (slug) => mock.send('PUT', `/workspaces/${slug}`, { body: { ...timing, api_key: makeKey(slug) } });
    const stands = slugs.map((slug) => stand(server, { slug, key: makeKey(slug) }));
    for (const slug of slugs) assert.equal((await make(slug)).status, 201);
    const { keys, workspace, ...state } = await stands[0].mock.must(200, 'GET', '/state');

    const come = Object.fromEntries(Object.keys(stands[0].actions).map((name) =>
        [name, (n) => stands[n % slugs.length].actions[name](n)]));
    const go = {
        reset: (n) => mock.send('POST', `/reset?workspace=${slugs[n % 3]}`),
        put: (n) => stands[n % 3].mock.send('PUT', '/state', { body: state }),
        remove: (n) => mock.send('DELETE', `/workspaces/${slugs[n % 3]}`),
    };
    const makes = (n) => make(slugs[n % 3]);
    const seen = await crowd(Object.entries({ ...come, make1: makes, ...go, make2: makes, make3: makes }));
    assert.ok(seen.remove.has(200) && seen.reset.has(200) && seen.put.has(200), 'each was done once at least');

    for (const [i, slug] of slugs.entries()) {
        await make(slug);
        assertEnded(await settle(stands[i]));
    }
    const { requests } = await reportOf(server);
    const counted = stands.reduce((sum, each) => sum + each.counted, 0);
    assert.equal(requests.total + requests.unattributed, counted);
    for (const slug of slugs) await mock.remove(slug);
    assert.deepEqual((await mock.must(200, 'GET', '/workspaces')).items.map(({ id }) => id), ['default']);
    const gauge = async (name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(
        (await request(server, 'GET', '/metrics')).text)?.[1]);
    await until(async () => await gauge('understudy_event_listeners') === 0);
    assert.equal(await gauge('understudy_workspaces'), 1);
    await until(async () => await gauge('understudy_writer_queue_length') === 0); // a tick may be on its way
});
