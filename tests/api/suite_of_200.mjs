// A suite of 200 tests, as somebody's might be: each has a workspace of its own, and calls everything in
// it by the names that all the others use too. Two such suites run at once in control_suites.test.mjs.

import assert from 'node:assert/strict';
import test from 'node:test';

import { control } from './control.mjs';
import { job, scenarios, studio } from './client.mjs';

const TESTS = 200;
const AT_ONCE = 16;

const server = { url: process.env.SUITE_SERVER, port: Number(new URL(process.env.SUITE_SERVER).port) };

/** One test: a job that fails or completes as its own rule says, and nothing of anybody else's. */
async function lifecycle(number) {
    const fails = number % 2 === 1;
    const made = await control(server).make({
        clock: 'manual',
        seed: 7,
        members: ['*@acme.com'],
        settings: { queue_time: '10s', processing_time: '290s' },
        rules: fails ? [{ match: {}, do: { job: { end: 'failed' } }, times: 1 }] : [],
    });
    const mock = control(server, { prefix: `/w/${made.slug}` });
    const api = studio(server, { key: made.api_key });

    const first = await api.createJob(job({ request_id: 'order-1' }));
    assert.equal(first.status, 201, first.text);
    assert.equal(first.body.is_new, true);
    const again = await api.createJob(job({ request_id: 'order-1' }));
    assert.deepEqual([again.status, again.body.id, again.body.is_new], [200, first.body.id, false]);
    const project = scenarios(server, { project: made.project_id });
    const scenario = await project.create({ name: 'Onboarding' });
    assert.equal(scenario.status, 201, scenario.text);

    const advanced = await mock.must(200, 'POST', '/clock/advance', { body: { until: 'settled' } });
    assert.deepEqual([advanced.fired_count, advanced.now], [2, '2024-03-01T10:05:00.000Z']);
    const { body: end } = await api.getJob(first.body.id);
    assert.deepEqual([end.status, end.created_at, end.completed_at, end.duration_seconds],
        [fails ? 'failed' : 'completed', '2024-03-01T10:00:00Z', '2024-03-01T10:05:00Z', 290]);

    const { items } = await mock.must(200, 'GET', '/jobs');
    assert.deepEqual(items.map(({ id }) => id), [first.body.id]);
    assert.deepEqual((await project.list()).body.map(({ id }) => id), [scenario.body.id]);
    assert.deepEqual(await control(server).remove(made.slug),
        { requests: 5, unused_rules: 0, unfinished_jobs: 0, failed_deliveries: 0 });
    // One seed draws one id, whatever others draw meanwhile; only which draw it is differs with the rule.
    return { fails, job: first.body.id, scenario: scenario.body.id };
}

test(`${TESTS} tests, each in its own workspace`, { concurrency: AT_ONCE }, async (t) => {
    const ids = [];
    await Promise.all(Array.from({ length: TESTS },
        (_, number) => t.test(`number ${number}`, async () => { ids.push(await lifecycle(number)); })));
    assert.equal(ids.length, TESTS);
    for (const fails of [true, false])
        assert.equal(new Set(ids.filter((each) => each.fails === fails).map((each) => `${each.job} ${each.scenario}`)).size,
            1, 'the same seed and calls, the same ids');
});
