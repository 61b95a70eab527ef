// Lint of the client: one that does as the documents say has no finding at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { request, serve, studio, until } from './client.mjs';
import { control } from './control.mjs';
import { CREATE, curlIn, DELETE, GET, JOB_EXAMPLE, LIST, SAMPLE_ID, SCENARIO_CHANGE, SCENARIO_EXAMPLE,
    SESSION_EXAMPLE, UPDATE } from './examples.mjs';

const QUICK = ['--queue-time', '0ms', '--processing-time', '1ms'];
const settled = (mock) => mock.must(200, 'POST', '/wait', { body: { until: 'settled', wait: '30s' } });

/** Checks that of so many requests none shows anything. */
async function assertClean(mock, count) {
    const { items, ...rest } = await mock.must(200, 'GET', '/lint');
    assert.deepEqual(items, []);
    assert.deepEqual(rest, { considered: count, left_out: 0, complete: true });
    const { items: requests } = await mock.must(200, 'GET', '/requests');
    assert.deepEqual(requests.flatMap(({ findings }) => findings), []);
}

test('the examples of the Studio API: made, made again, polled, cancelled', async (t) => {
    const server = await serve(t, { args: QUICK });
    const mock = control(server);
    const api = studio(server);
    await mock.set({ callback_map: { '*': 'http://inbox.test/hooks' } });
    for (const isNew of [true, false])
        assert.equal((await api.createSession(SESSION_EXAMPLE)).body.is_new, isNew);
    const { body: made } = await api.createJob(JOB_EXAMPLE);
    await settled(mock);
    assert.equal((await api.readJob(made.id)).status, 'completed');
    await mock.set({ queue_time: '1h' });
    const { body: other } = await api.createJob({ ...JOB_EXAMPLE, request_id: 'another' });
    assert.equal((await api.cancelJob(other.id)).body.status, 'cancelled');
    for (const send of [api.getJob, api.cancelJob]) assert.equal((await send('abc123')).status, 404);
    await assertClean(mock, 8);
});

test('the examples of the Studio API, by callback alone, made again when it is over', async (t) => {
    const server = await serve(t, { args: QUICK });
    const mock = control(server);
    const api = studio(server);
    await mock.set({ callback_map: { '*': 'http://inbox.test/hooks' } });
    assert.equal((await api.createJob(JOB_EXAMPLE)).status, 201);
    await settled(mock);
    assert.equal((await api.createJob(JOB_EXAMPLE)).status, 200);
    await assertClean(mock, 2);
});

test('a session that somebody opens: its job is not the client\'s to poll', async (t) => {
    const server = await serve(t, { args: QUICK });
    const mock = control(server);
    const api = studio(server);
    const { body: { url } } = await api.createSession(SESSION_EXAMPLE);
    assert.equal((await api.page(new URL(url).pathname)).status, 200);
    await settled(mock);
    const { items: [job] } = await mock.must(200, 'GET', '/jobs');
    const { body: { scenario } } = await api.getJob(job.id);
    for (const method of ['GET', 'HEAD'])
        assert.equal((await request(server, method, new URL(scenario.url).pathname)).status, 200);
    await assertClean(mock, 5);
});

test('the curl lines and the bodies of the Scenarios API', async (t) => {
    const server = await serve(t);
    const curl = await curlIn(t, server.port);
    for (const line of [LIST, GET, UPDATE, DELETE, CREATE, CREATE]) await curl(line);
    const [{ id }] = JSON.parse((await curl(LIST))[1]);
    for (const line of [GET, UPDATE, DELETE]) await curl(line.replace(SAMPLE_ID, id));
    const path = '/api/projects/PROJECT_ID/scenarios';
    const { body: made } = await request(server, 'POST', path, { body: SCENARIO_EXAMPLE });
    assert.equal((await request(server, 'PUT', `${path}/${made.id}`, { body: SCENARIO_CHANGE })).status, 200);
    assert.equal((await request(server, 'PUT', `${path}/${made.id}`, { body: made })).status, 200);
    await assertClean(control(server), 13);
});

test('S12: a creation with a request_id, sent again after each kind of failure', async (t) => {
    const server = await serve(t, { args: QUICK });
    const mock = control(server);
    const api = studio(server);
    await mock.set({ callback_map: { '*': 'http://inbox.test/hooks' } });
    for (const act of [{ respond: '500' }, { drop: 'before' }, { drop: 'after_commit' }]) {
        const answer = await mock.send('POST', '/rules',
            { body: { match: { operation: 'createScenarioJob' }, do: act, times: 1 } });
        assert.equal(answer.status, 201, answer.text);
        await api.createJob({ ...JOB_EXAMPLE, request_id: JSON.stringify(act) }).catch(() => {});
        const again = await api.createJob({ ...JOB_EXAMPLE, request_id: JSON.stringify(act) });
        assert.ok([200, 201].includes(again.status), again.text);
    }
    await settled(mock);
    await until(async () => (await mock.must(200, 'GET', '/requests')).items.length === 6);
    await assertClean(mock, 6);
});
