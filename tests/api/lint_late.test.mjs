// Lint of the client: what no single request shows (GET /_mock/lint): jobs whose end nobody has
// learned, addresses that only ever had a magic tag, callbacks that the server may not send.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { job, studio } from './client.mjs';
import { control } from './control.mjs';
import { receive } from './receiver.mjs';
import { startServer } from '../support/server.mjs';

let server;
before(async () => {
    server = await startServer({ args: ['--queue-time', '0ms', '--processing-time', '1ms'] });
});
after(() => server.stop());

/** A workspace of the test's own: its client, and what was found of these. */
async function place(body = {}, on = server) {
    const made = await control(on).make({ members: ['*@acme.com', 'jane@b.example'], ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(on, { prefix });
    const lint = (query = '') => mock.must(200, 'GET', `/lint${query}`);
    return {
        mock, lint,
        api: studio(on, { key: made.api_key, prefix }),
        /** The items of one finding. */
        found: async (id, query = '') => (await lint(`?id=${id}${query}`)).items,
        settled: () => mock.must(200, 'POST', '/wait', { body: { until: 'settled', wait: '30s' } }),
    };
}

const jobsOf = (items) => items.map(({ where }) => where.job);
const abandoned = ({ found }) => found('job_abandoned').then(jobsOf);

// -- job_abandoned ----------------------------------------------------------------------------------

test('job_abandoned: a job that has ended, whose end no poll showed', async () => {
    const own = await place();
    const first = await own.api.newJob({ prompt: 'left' });
    await own.settled();
    const [item, ...others] = await own.found('job_abandoned');
    assert.deepEqual(others, []);
    const { at } = (await own.mock.must(200, 'GET', '/requests')).items[0];
    assert.deepEqual(item, { id: 'job_abandoned', severity: 'warning', what: item.what,
        where: { operation: 'createScenarioJob', job: first.id, requests: [1] }, count: 1,
        first_at: at, last_at: at, why: item.why });
    const second = await own.api.newJob();
    await own.settled();
    await own.api.readJob(second.id);
    assert.deepEqual(await abandoned(own), [first.id], 'the other one was read to its end');
    await own.api.readJob(first.id);
    assert.deepEqual(await abandoned(own), []);
});

test('job_abandoned: not while it is under way, nor when it was cancelled', async () => {
    const own = await place({ clock: 'manual', settings: { queue_time: '1s', processing_time: '1s' } });
    const polled = await own.api.newJob();
    const cancelled = await own.api.newJob();
    await own.api.readJob(polled.id);
    await own.api.cancelJob(cancelled.id);
    assert.deepEqual(await abandoned(own), [], 'its end may be read yet');
    await own.mock.must(200, 'POST', '/clock/advance', { body: { by: '1m' } });
    assert.deepEqual(await abandoned(own), [polled.id], 'a poll that shows no end is none');
});

test('job_abandoned: a callback that was answered with 2xx has told it, another one has not', async (t) => {
    const good = await receive(t, { answer: 204 });
    const bad = await receive(t, { answer: 500 });
    const own = await place();
    await own.api.newJob({ callback_url: good.url });
    const missed = await own.api.newJob({ callback_url: bad.url });
    await own.settled();
    assert.deepEqual(await abandoned(own), [missed.id]);
});

test('job_abandoned: since, and what a reset ends', async () => {
    const own = await place();
    const first = await own.api.newJob();
    const { cursor } = await own.mock.must(200, 'GET', '/requests');
    const second = await own.api.newJob();
    await own.settled();
    assert.deepEqual(await abandoned(own), [first.id, second.id]);
    assert.deepEqual(jobsOf(await own.found('job_abandoned', `&since=${cursor}`)), [second.id]);
    await own.mock.must(200, 'DELETE', '/requests');
    const [item] = await own.found('job_abandoned');
    assert.deepEqual([item.where.job, item.where.requests], [first.id, []], 'remembered nevertheless');
    await own.mock.must(200, 'POST', '/reset', { body: {} });
    assert.deepEqual(await abandoned(own), []);
});

// -- magic_email_only --------------------------------------------------------------------------------

test('S8: an address that only ever came with a tag', async () => {
    const own = await place();
    await own.api.newJob({ user_email: 'Jane+Fail@acme.com' });
    await own.api.createSession(job({ user_email: 'jane+hold@acme.com' }));
    await own.api.newJob({ user_email: 'ann+fail@acme.com' });
    const items = await own.found('magic_email_only');
    assert.deepEqual(items.map(({ severity, where, count }) => [severity, where, count]), [
        ['warning', { operation: 'createScenarioJob', email: 'jane+fail@acme.com', requests: [1, 2] }, 2],
        ['warning', { operation: 'createScenarioJob', email: 'ann+fail@acme.com', requests: [3] }, 1]]);
    await own.api.newJob({ user_email: 'jane@acme.com' });
    assert.deepEqual((await own.found('magic_email_only')).map(({ where }) => where.email),
        ['ann+fail@acme.com'], 'the real one was sent as well');
    await own.mock.must(200, 'POST', '/reset', { body: {} });
    assert.deepEqual(await own.found('magic_email_only'), []);
});

test('S8: tags that say nothing, and tags where magic is off', async () => {
    const own = await place();
    await own.api.newJob({ user_email: 'jane+news@acme.com' });
    assert.deepEqual(await own.found('magic_email_only'), []);
    const plain = await place({ settings: { magic: false } });
    await plain.api.newJob({ user_email: 'jane+fail@acme.com' });
    assert.deepEqual(await plain.found('magic_email_only'), []);
});

// -- callback_blocked --------------------------------------------------------------------------------

test('S25: callbacks to where the server may not send, by their URL', async (t) => {
    const strict = await startServer({ args: ['--queue-time', '0ms', '--processing-time', '1ms',
        '--callback-policy', 'public', '--callback-allow', '127.0.0.1'] });
    t.after(() => strict.stop());
    const receiver = await receive(t);
    const own = await place({}, strict);
    const url = 'http://10.0.0.1/hook';
    for (const to of [url, receiver.url, url, 'http://192.168.0.1/other'])
        await own.api.newJob({ callback_url: to });
    await own.settled();
    const items = await own.found('callback_blocked');
    assert.deepEqual(items.map(({ severity, where, count }) => [severity, where, count]), [
        ['warning', { operation: 'createScenarioJob', url, requests: [1, 3] }, 2],
        ['warning', { operation: 'createScenarioJob', url: 'http://192.168.0.1/other', requests: [4] }, 1]]);
    assert.deepEqual((await abandoned(own)).length, 3, 'nobody learned of their ends');
    await own.mock.set({ lint: { ignore: ['callback_blocked'] } });
    assert.deepEqual(await own.found('callback_blocked'), []);
});

test('S25: a receiver that is down or answers badly is no business of the policy\'s', async (t) => {
    const own = await place();
    const gone = await receive(t, { answer: 410 });
    const down = await receive(t);
    await down.close();
    for (const url of [gone.url, down.url]) await own.api.newJob({ callback_url: url });
    await own.settled();
    assert.deepEqual(await own.found('callback_blocked'), []);
});
