// The requests that are sent while memory runs out: a row each.

import assert from 'node:assert/strict';

import { job, request, scenarios, studio, until } from '../api/client.mjs';
import { control } from '../api/control.mjs';

const scenario = (name) => ({ name, instructions: `Of ${name}`, messages: [{ role: 'user', content: [1.5, { a: null }] }],
    maxMessages: 3, successCriteria: ['polite'].join(), evaluators: [{ kind: 'x', weight: 0.25 }], personaIds: ['p1'] });

/** A workspace with one of everything, and its clients. */
export async function furnish(server, receiver) {
    const made = await control(server).make({ members: ['*@acme.com'], clock: 'manual',
        settings: { queue_time: '1s', processing_time: '1s' } });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    const api = studio(server, { key: made.api_key, prefix });
    const store = scenarios(server, { prefix, project: 'shop' });
    const own = { server, prefix, mock, api, store, receiver, made, text: 'first' };
    own.ended = await api.newJob({ callback_url: receiver.url, callback_headers: { 'X-Of': 'memory' } });
    await mock.must(200, 'POST', '/clock/advance', { body: { by: '5s' } });
    own.job = await api.newJob({ request_id: 'known', prompt: 'Practice '.repeat(50) });
    own.session = (await api.createSession(job({ prompt: 'A session' }))).body;
    own.scenario = (await store.create(scenario('kept'))).body;
    await store.create(scenario('other'));
    own.rule = await mock.must(201, 'POST', '/rules', { body: { match: { email: 'nobody*@acme.com' }, label: 'kept',
        do: { job: { end: 'failed', processing: '3s' } } } });
    await mock.send('POST', '/inbox/orders', { body: { paid: true } });
    own.webhook = (await mock.must(200, 'GET', '/webhooks')).items[0];
    own.state = await mock.must(200, 'GET', '/state?secrets=true').catch(() => mock.must(200, 'GET', '/state'));
    return own;
}

/*
 * name, status: of its success
 * send    of the workspace and a text that is new each time; what prepare gave
 * prepare what has to be there, made while there is memory
 * whole   after it, whatever came of it: that nothing is half there
 * same    its answer never changes
 * waits   for a callback, which waits for memory
 */
export const requests = [
    { name: 'POST session', status: 200, send: ({ api }, text) => api.createSession(job({ prompt: text })) },
    { name: 'POST job', status: 201, send: ({ api }, text) => api.createJob(job({ request_id: text,
        context: text.repeat(100) })) },
    { name: 'POST job, with a callback', status: 201, send: ({ api, receiver }, text) =>
        api.createJob(job({ request_id: text, callback_url: receiver.url, callback_headers: { 'X-A': text, 'X-B': 'b' } })) },
    { name: 'POST job, a known one', status: 200, send: ({ api }) => api.createJob(job({ request_id: 'known' })) },
    { name: 'POST job, #mock lines', status: 201, send: ({ api }, text) =>
        api.createJob(job({ prompt: `${text}\n#mock end=failed processing=3s` })) },
    { name: 'GET job', status: 200, same: true, send: ({ api, job: { id } }) => api.getJob(id) },
    { name: 'GET ended job', status: 200, same: true, send: ({ api, ended: { id } }) => api.getJob(id) },
    { name: 'GET unknown job', status: 404, same: true, send: ({ api }) => api.getJob('0123456789ab') },
    { name: 'GET job without a key', status: 401, same: true,
        send: ({ server, prefix }) => studio(server, { key: null, prefix }).getJob('0123456789ab') },
    { name: 'DELETE job', status: 200, prepare: ({ api }) => api.newJob(), send: ({ api }, text, { id }) => api.cancelJob(id),
        whole: async ({ api }, text, { id }) => assert.ok(['queued', 'cancelled'].includes((await api.readJob(id)).status)) },
    { name: 'GET page', status: 200, same: true, send: ({ api, session: { id } }) => api.page(`/chat/${id}`) },
    { name: 'POST scenario', status: 201, send: ({ store }, text) => store.create(scenario(text)),
        whole: async ({ store }, text) => {
            const { body } = await store.list();
            const [one] = body.filter(({ name }) => name === text);
            if (!one) return;
            const { id, createdAt, updatedAt, ...rest } = one;
            assert.deepEqual(rest, { ...scenario(text), failureCriteriaMode: 'on_max_messages' });
            assert.equal((await store.remove(id)).status, 204);
        } },
    { name: 'POST scenario, whose texts end where a buffer of jansson grows', status: 201, send: ({ store }, text) => store.create(
        { name: text.padEnd(14, '.'), instructions: 'i'.repeat(30), successCriteria: 's'.repeat(62), failureCriteria: 'f'.repeat(126) }) },
    { name: 'GET scenario', status: 200, same: true, send: ({ store, scenario: { id } }) => store.get(id) },
    { name: 'GET scenarios', status: 200, send: ({ store }) => store.list() },
    { name: 'PUT scenario', status: 200, send: ({ store }, text, { id }) => store.update(id, scenario(text)),
        prepare: ({ updated, store }) => updated ?? store.create(scenario('to be updated')).then((answer) => answer.body),
        keep: 'updated',
        whole: async ({ store }, text, { id }) => {
            const { id: _, createdAt, updatedAt, failureCriteriaMode, ...rest } = (await store.get(id)).body;
            assert.deepEqual(rest, scenario(rest.name));
        } },
    { name: 'DELETE scenario', status: 204, prepare: ({ store }, text) => store.create(scenario(text)).then(({ body }) => body),
        send: ({ store }, text, { id }) => store.remove(id) },
    { name: 'POST workspace', status: 201, send: ({ server }, text) =>
        control(server).send('POST', '/workspaces', { body: { slug: text, members: ['a@b.c', '*@d.e'], name: 'Memory' } }),
        whole: async ({ server }, text) => {
            const answer = await control(server).send('DELETE', `/workspaces/${text}`);
            assert.ok([200, 404].includes(answer.status), answer.text);
        } },
    { name: 'GET workspace', status: 200, send: ({ server, made }) => control(server).send('GET', `/workspaces/${made.slug}`) },
    { name: 'PATCH settings', status: 200, send: ({ mock }, text) => mock.send('PATCH', '/settings',
        { body: { queue_time: '2s' } }) },
    { name: 'POST key', status: 201, send: ({ mock }, text) => mock.send('POST', '/keys', { body: {} }) },
    { name: 'POST rule', status: 201, send: ({ mock }, text) => mock.send('POST', '/rules', { body: { label: text, times: 2,
        match: { email: `${text}*@acme.com`, prompt: `/${text}.*/`.slice(1, -1), operation: 'createScenarioJob' },
        do: { respond: { status: 418, headers: { 'X-Tea': 'pot' }, body: { text } } } } }),
        whole: async ({ mock }, text) => {
            const { items } = await mock.must(200, 'GET', `/rules?label=${text}`);
            for (const rule of items) {
                assert.deepEqual([rule.times, rule.do.respond.status, rule.match.email], [2, 418, `${text}*@acme.com`]);
                await mock.must(204, 'DELETE', `/rules/${rule.id}`);
            }
        } },
    { name: 'GET rules', status: 200, same: true, send: ({ mock }) => mock.send('GET', '/rules?label=kept') },
    { name: 'GET state', status: 200, send: ({ mock }) => mock.send('GET', '/state') },
    { name: 'PUT state', status: 200, apart: true, send: ({ mock, state }, text) =>
        mock.send('PUT', '/state', { body: { ...state, workspace: { ...state.workspace, name: text } } }),
        whole: async ({ mock, state }, text) => {
            const now = await mock.must(200, 'GET', '/state');
            for (const part of ['rules', 'jobs', 'project_scenarios', 'members'])
                assert.equal(now[part]?.length, state[part]?.length, part);
        } },
    { name: 'POST reset', status: 200, apart: true, send: ({ mock }) => mock.send('POST', '/reset', { body: {} }) },
    { name: 'GET jobs', status: 200, send: ({ mock }) => mock.send('GET', '/jobs?limit=5') },
    { name: 'GET mock job', status: 200, send: ({ mock, job: { id } }) => mock.send('GET', `/jobs/${id}`) },
    { name: 'POST transition', status: 200, prepare: ({ api }) => api.newJob(),
        send: ({ mock }, text, { id }) => mock.send('POST', `/jobs/${id}/transition`, { body: { to: 'completed' } }) },
    { name: 'POST verify', status: 200, send: ({ mock }) =>
        mock.send('POST', '/verify', { body: { match: { operation: 'createScenarioJob' }, min: 1 } }) },
    { name: 'POST verify, of what did not come', status: 409, send: ({ mock }) => mock.send('POST', '/verify',
        { body: { match: { operation: 'createScenarioJob', email: 'jan@acme.com' }, count: 3 } }) },
    { name: 'GET requests', status: 200, send: ({ mock }) => mock.send('GET', '/requests?limit=20&operation=createScenarioJob') },
    { name: 'GET requests as HAR', status: 200, send: ({ mock }) => mock.send('GET', '/requests?limit=5&format=har') },
    { name: 'GET report', status: 200, send: ({ mock }) => mock.send('GET', '/report') },
    { name: 'GET report as JUnit', status: 200, send: ({ mock }) => mock.send('GET', '/report?format=junit') },
    { name: 'GET timeline', status: 200, send: ({ mock }) => mock.send('GET', '/timeline?limit=20') },
    { name: 'GET timeline of a job', status: 200, send: ({ mock, ended: { id } }) => mock.send('GET', `/jobs/${id}/timeline`) },
    { name: 'GET findings', status: 200, send: ({ mock }) => mock.send('GET', '/lint') },
    { name: 'GET outcomes', status: 200, same: true, send: ({ mock }) => mock.send('GET', '/outcomes') },
    { name: 'GET info', status: 200, send: ({ mock }) => mock.send('GET', '/info') },
    { name: 'GET metrics', status: 200, send: ({ server }) => request(server, 'GET', '/metrics') },
    { name: 'GET health', status: 200, same: true, send: ({ server }) => request(server, 'GET', '/healthz') },
    { name: 'GET clock', status: 200, send: ({ mock }) => mock.send('GET', '/clock') },
    { name: 'POST clock/advance', status: 200, waits: true, prepare: ({ api, receiver }) => api.newJob({ callback_url: receiver.url }),
        send: ({ mock }) => mock.send('POST', '/clock/advance', { body: { by: '5s' } }),
        whole: async ({ api, mock, receiver }, text, { id }) => {
            await mock.must(200, 'POST', '/clock/advance', { body: { by: '5s' } });
            assert.equal((await api.readJob(id)).status, 'completed');
            await until(() => receiver.requests.some(({ json }) => json.id === id), { what: `the callback of ${id}`, timeout: 5000 });
        } },
    { name: 'POST wait', status: 200, send: ({ mock }) => mock.send('POST', '/wait', { body: { until: 'settled', wait: '1s' } }) },
    { name: 'POST inbox', status: 200, same: true, send: ({ mock }, text) => mock.send('POST', '/inbox/orders', { body: { text } }) },
    { name: 'GET inbox', status: 200, send: ({ mock }) => mock.send('GET', '/inbox/orders?limit=3') },
    { name: 'PUT replies', status: 200, send: ({ mock }) => mock.send('PUT', '/inbox/tea/replies',
        { body: [{ status: 418, body: 'x' }] }) },
    { name: 'GET webhooks', status: 200, send: ({ mock }) => mock.send('GET', '/webhooks?limit=5') },
    { name: 'GET webhook', status: 200, send: ({ mock, webhook: { id } }) => mock.send('GET', `/webhooks/${id}?reveal=true`) },
    { name: 'POST redeliver', status: 200, waits: true,
        prepare: ({ mock, webhook: { id } }) => until(async () => !(await mock.must(200, 'GET', `/webhooks/${id}`)).under_way),
        send: ({ mock, webhook: { id } }) => mock.send('POST', `/webhooks/${id}/redeliver`, { body: {} }) },
];
