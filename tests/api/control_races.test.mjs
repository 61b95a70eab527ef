// Control requests that meet: in one transaction of the writer, or in what a rule and a request are for.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { holdLock } from '../support/lock.mjs';
import { startServer } from '../support/server.mjs';
import { inParallel, job, makeKey, scenarios, serve, studio, temporaryDirectory } from './client.mjs';
import { assertProblem, control } from './control.mjs';

const statuses = (answers) => answers.map(({ status }) => status).sort();

test('C1: of many DELETEs of a workspace at once, one is made', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    for (let round = 0; round < 20; round += 1) {
        await mock.make({ slug: 'x', members: ['*'] });
        const answers = await Promise.all(Array.from({ length: 8 }, () => mock.send('DELETE', '/workspaces/x')));
        assert.deepEqual(statuses(answers), [200, ...Array(7).fill(404)]);
    }
    const { items } = await mock.must(200, 'GET', '/workspaces');
    assert.equal(items.length, 1);
});

test('C1: what comes behind a DELETE in one transaction is not made; the store starts again', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const server = await startServer({ db });
    t.after(() => server.kill('SIGKILL'));
    const mock = control(server);
    const turns = async (count) => { // so that what was sent before has most likely come to the queue
        for (let i = 0; i < count; i += 1) await mock.must(200, 'GET', '/info');
    };
    for (let round = 0; round < 5; round += 1) {
        const { slug, api_key: key } = await mock.make({ members: ['*'] });
        const own = control(server, { prefix: `/w/${slug}` });
        const letGo = await holdLock(t, db); // the writer waits with the first; the others gather behind it
        const first = control(server, { prefix: '/w/acme-corp' }).set({ jitter: 0 });
        await turns(20);
        const deletion = mock.send('DELETE', `/workspaces/${slug}`);
        await turns(20);
        const behind = Promise.all([0, 1].flatMap((n) => [
            own.send('POST', '/members', { body: { email: `m${n}@b.example` } }),
            own.send('POST', '/keys', { body: {} }),
            own.send('POST', '/rules', { body: { match: {} } }),
            studio(server, { key }).createJob(job()),
        ]));
        await turns(20);
        await letGo();
        await first;
        assert.equal((await deletion).status, 200);
        for (const { status, text } of await behind) assert.ok([201, 401, 404].includes(status), text); // 201: it came first after all
        assert.equal((await studio(server, { key }).getJob('x')).status, 401);
    }
    assert.equal((await server.kill('SIGTERM')).code, 0, server.stderr);
    const again = await serve(t, { db });
    assert.equal((await control(again).must(200, 'GET', '/workspaces')).items.length, 1);
});

test('C2: PUT of a workspace that is there tells of a wrong body too', async (t) => {
    const mock = control(await serve(t));
    await mock.must(201, 'PUT', '/workspaces/x', { body: {} });
    assertProblem(await mock.send('PUT', '/workspaces/x', { body: { nme: 'y' } }), 422, 'unknown_field', /nme/,
        /did you mean "name"\?/);
    assertProblem(await mock.send('PUT', '/workspaces/x', { body: '{' }), 400, 'invalid_json');
    assertProblem(await mock.send('PUT', '/workspaces/x', { body: { rules: [{ do: 7 }] } }), 422, 'missing_field');
    assert.equal((await mock.must(200, 'PUT', '/workspaces/x', { body: { name: 'y' } })).name, 'x', 'left as it is');
});

test('a transition is used up only by a request whose job it can move', async (t) => {
    const server = await serve(t, { args: ['--queue-time', '1h'] });
    const mock = control(server);
    const api = studio(server);
    const rule = await mock.must(201, 'POST', '/rules', { body: {
        match: {}, times: 1, do: { transition: { to: 'completed' } } } });
    const left = async () => (await mock.must(200, 'GET', `/rules/${rule.id}`)).uses_left;
    const { id: ended } = await api.newJob();
    await mock.must(200, 'POST', `/jobs/${ended}/transition`, { body: { to: 'cancelled' } });
    await scenarios(server, { project: 'p' }).list();
    assert.equal((await api.readJob(ended)).status, 'cancelled');
    const { id } = await api.newJob();
    assert.equal(await left(), 1);
    assert.equal((await api.cancelJob(id)).status, 400, 'the cancel that loses');
    assert.equal((await api.readJob(id)).status, 'completed');
    assert.equal(await left(), 0);
    for (const [operation, action] of [['listScenarios', { job: { end: 'failed' } }],
        ['createScenarioJob', { transition: { to: 'completed' } }]])
        assertProblem(await mock.send('POST', '/rules', { body: { match: { operation }, do: action } }), 422,
            'invalid_field', /never acts on/, /Job|openChat/);
});

test('C9: the cursor of a workspace leaves out the rules that it had', async (t) => {
    const mock = control(await serve(t));
    await mock.must(201, 'POST', '/rules', { body: { match: {} } });
    const { cursor } = await mock.read('default');
    assert.deepEqual((await mock.must(200, 'GET', `/rules?since=${cursor}`)).items, []);
    const { id } = await mock.must(201, 'POST', '/rules', { body: { match: {} } });
    assert.deepEqual((await mock.must(200, 'GET', `/rules?since=${cursor}`)).items.map((one) => one.id), [id]);
});

test('S20: at the end of the year 9999 time stands, and nothing comes before what it follows', async (t) => {
    const server = await serve(t);
    const { api_key: key, slug } = await control(server).make({ members: ['*'],
        clock: { mode: 'manual', now: '9999-12-31T23:59:59.999Z' },
        rules: [{ match: {}, times: 1, do: { job: { polls: { queued: 1, processing: 1 } } } }] });
    const api = studio(server, { key });
    const polled = await api.newJob();
    for (const status of ['queued', 'processing', 'completed'])
        assert.equal((await api.readJob(polled.id)).status, status);
    const timed = await api.newJob();
    await control(server, { prefix: `/w/${slug}` }).must(200, 'POST', '/clock/advance', { body: { until: 'settled' } });
    for (const { id } of [polled, timed]) {
        const { created_at: created, started_at: started, completed_at: completed } = await api.readJob(id);
        assert.deepEqual([created, started, completed], Array(3).fill('9999-12-31T23:59:59Z'));
    }
});

test('C1: jobs of a state start by the settings that it brings', async (t) => {
    const server = await serve(t);
    const settings = { queue_time: '300ms', processing_time: '1h' };
    const one = await control(server).make({ members: ['*'], settings });
    const two = await control(server).make({ members: ['*'], settings: { ...settings, max_processing: 1 } });
    const api = studio(server, { key: one.api_key });
    await api.jobIn((await api.newJob()).id, 'processing');
    const { id } = await api.newJob();
    const [from, to] = [one, two].map(({ slug }) => control(server, { prefix: `/w/${slug}` }));
    const { keys, ...state } = await from.must(200, 'GET', '/state');
    assert.equal(state.jobs[1].status, 'queued');
    await to.must(200, 'PUT', '/state', { body: state });
    await to.must(200, 'GET', `/jobs/${id}?until=processing&wait=30s`);
});

test('a member that a request waits for is there when its key is', async (t) => {
    const server = await serve(t, { args: ['--open-keys'] });
    const answers = await inParallel(8, Array.from({ length: 400 }), (_, n) =>
        studio(server, { key: makeKey(`k${Math.floor(n / 8)}`) }).createJob(job({ request_id: 'one' })));
    for (const { status, text } of answers) assert.ok([200, 201].includes(status), text);
});
