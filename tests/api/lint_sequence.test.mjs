// Lint of the client: what a request shows beside those before it, in `findings` of GET
// /_mock/requests: request_ids, retries, polls, Retry-After. Alone: lint.test.mjs.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { inParallel, job, studio, until } from './client.mjs';
import { control } from './control.mjs';
import { request as message, Wire } from './wire.mjs';

let server;
before(async () => { server = await startServer({ args: ['--queue-time', '1h'] }); });
after(() => server.stop());

/** A workspace of the test's own, its clients, and what was found of each request, in their order. */
async function place(body = {}) {
    const made = await control(server).make({ members: ['*@acme.com'], ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    return {
        made, prefix, mock,
        api: studio(server, { key: made.api_key, prefix }),
        findings: async () => (await mock.must(200, 'GET', '/requests')).items
            .map(({ findings }) => findings.join(' ')),
        rule: (operation, act, rest = { times: 1 }) => mock.must(201, 'POST', '/rules',
            { body: { match: { operation }, do: act, ...rest } }),
    };
}

// -- request_id -----------------------------------------------------------------------------------

test('S12: a request_id again, with another body', async () => {
    const { api, findings } = await place();
    const asked = job({ request_id: 'one' });
    const spaced = JSON.stringify(Object.fromEntries(Object.entries(asked).reverse()), null, 4);
    await api.createJob(asked);
    assert.equal((await api.createJob(asked)).status, 200);
    assert.equal((await api.createJob(spaced)).status, 200);
    await api.createJob({ ...asked, prompt: 'Another' });
    await api.createSession(asked);
    assert.deepEqual(await findings(), ['', '', '', 'request_id_reused', ''],
        'white space and order are no difference, and sessions have request_ids of their own');
});

test('S12: what was refused may be mended under the same request_id', async () => {
    const { api, findings } = await place();
    assert.equal((await api.createJob(job({ request_id: 'one', prompt: 7 }))).status, 400);
    assert.equal((await api.createJob(job({ request_id: 'one' }))).status, 201);
    assert.deepEqual(await findings(), ['', '']);
});

test('S12: after a reset a request_id is as new', async () => {
    const { api, mock, findings } = await place();
    await api.createJob(job({ request_id: 'one' }));
    await mock.must(200, 'POST', '/reset', { body: {} });
    await api.createJob(job({ request_id: 'one', prompt: 'Another' }));
    assert.deepEqual((await findings()).at(-1), '');
});

test('S12: many at a time with one request_id are as they should be', async () => {
    const { api, findings } = await place();
    await inParallel(20, Array(20).fill(job({ request_id: 'one' })), (body) => api.createJob(body));
    assert.deepEqual((await findings()).filter(Boolean), []);
});

// -- retries --------------------------------------------------------------------------------------

const failures = [
    ['429', { respond: '429' }],
    ['503', { respond: '503' }],
    ['a status of a rule\'s own', { respond: { status: 502 } }],
    ['a drop', { drop: 'before' }],
    ['a drop after it was carried out', { drop: 'after_commit' }],
    ['an answer that is cut', { truncate: 10 }],
    ['an answer that is garbage', { garbage: true }],
    ['no answer', { hang: '1ms' }],
];
for (const [name, act] of failures) {
    test(`S12: a creation again after ${name}, without a request_id`, async () => {
        const { api, rule, findings } = await place();
        await rule('createScenarioJob', act);
        await api.createJob(job()).catch(() => {});
        await api.newJob({ prompt: 'Another' });
        await api.newJob();
        await api.newJob();
        const found = (await findings()).map((all) => all.split(' ')
            .filter((id) => id !== 'retry_after_ignored').join(' '));
        assert.deepEqual(found, ['', '', 'retry_without_request_id', ''],
            'once, for the fourth was sent on purpose');
    });
}

test('S12: a creation again after its client gave up waiting', async () => {
    const { api, made, prefix, mock, rule } = await place();
    const { id } = await rule('createScenarioJob', { delay: '1s' });
    const wire = await Wire.open(server.port);
    await wire.flush(message('POST', `${prefix}/rest/v1/scenario-studio/jobs`, {
        headers: { Authorization: `Bearer ${made.api_key}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(job()) }));
    await until(async () => (await mock.must(200, 'GET', `/rules/${id}`)).uses_left === 0);
    wire.destroy();
    await api.newJob();
    const { items } = await mock.must(200, 'GET', '/requests?min=2&wait=30s');
    assert.equal(items.length, 2);
    assert.equal(items.flatMap(({ findings }) => findings).join(), 'retry_without_request_id',
        'of the one that is over last: that its client has left is seen when it is answered');
});

for (const [name, act] of [['a hang', { hang: '1h' }],
    ['a late answer', { delay: '1h', when: 'after_commit' }]]) {
    test(`S12, C9: a client that gives up during ${name} of an hour is told of at once`, async () => {
        const { api, made, prefix, mock, rule } = await place();
        await rule('createScenarioJob', act);
        const wire = await Wire.open(server.port);
        await wire.flush(message('POST', `${prefix}/rest/v1/scenario-studio/jobs`, {
            headers: { Authorization: `Bearer ${made.api_key}`, 'Content-Type': 'application/json' },
            body: JSON.stringify(job()) }));
        await until(async () => (await mock.must(200, 'GET', '/rules')).items[0].uses_left === 0);
        wire.destroy();
        await api.newJob();
        const { requests } = await mock.must(200, 'POST', '/verify',
            { body: { match: { operation: 'createScenarioJob' }, count: 2, wait: '30s' } });
        assert.deepEqual(requests.map(({ end, status }) => `${end} ${status}`).sort(),
            ['answered 201', act.hang ? 'hung null' : 'left null']);
        const { items } = await mock.must(200, 'GET', '/lint?severity=error');
        assert.deepEqual(items.map(({ id }) => id), ['retry_without_request_id']);
    });
}

test('S12: retries that are as they should be', async () => {
    const { api, rule, findings } = await place();
    await rule('createScenarioJob', { respond: '503' }, { times: 2 });
    await api.createJob(job({ request_id: 'one' }));
    await api.createJob(job({ request_id: 'one' }));
    await api.createJob(job({ request_id: 'one' }));
    await api.createJob(job({ prompt: 7 }));
    await api.createJob(job({ prompt: 7 }));
    assert.deepEqual((await findings()).map((all) => all.replace('retry_after_ignored', '')),
        ['', '', '', '', ''], 'with a request_id; and a 400 is no failure to be retried');
});

// -- time -----------------------------------------------------------------------------------------

test('polled_fast, polled_after_end: only where the clock is real', async () => {
    for (const clock of ['real', 'manual']) {
        const { api, findings } = await place({ clock });
        const { id } = await api.newJob();
        await api.readJob(id);
        await api.readJob(id);
        await api.cancelJob(id);
        await api.readJob(id);
        await api.send('HEAD', `/scenario-studio/jobs/${id}`);
        const found = await findings();
        assert.deepEqual([found[1], found[4], found[5]],
            ['', clock === 'real' ? 'polled_fast polled_after_end' : '', ''], clock);
        assert.equal(found[2], clock === 'real' ? 'polled_fast' : '');
    }
});

test('S26: a request before Retry-After has passed', async () => {
    const { api, rule, findings } = await place();
    await rule('getScenarioJob', { respond: '429', retry_after: '1h' });
    const { id } = await api.newJob();
    assert.equal((await api.getJob(id)).headers['retry-after'], '3600');
    await api.readJob(id);
    await api.newJob();
    assert.deepEqual(await findings(), ['', '', 'retry_after_ignored', ''],
        'another operation is another matter');
    const slow = await place({ clock: 'manual' });
    await slow.rule('getScenarioJob', { respond: '429', retry_after: '1h' });
    const made = await slow.api.newJob();
    await slow.api.getJob(made.id);
    await slow.api.readJob(made.id);
    assert.deepEqual((await slow.findings()).filter(Boolean), []);
});

// -- and what is ignored --------------------------------------------------------------------------

test('settings.lint.ignore: what is ignored is not found', async () => {
    const { api, mock, findings } = await place();
    await mock.set({ lint: { ignore: ['request_id_reused'] } });
    await api.createJob(job({ request_id: 'one' }));
    await api.createJob(job({ request_id: 'one', prompt: 'Another' }));
    assert.deepEqual(await findings(), ['', '']);
    await mock.set({ lint: { ignore: [] } });
    await api.createJob(job({ request_id: 'one', prompt: 'Yet another' }));
    assert.deepEqual((await findings()).at(-1), 'request_id_reused');
});
