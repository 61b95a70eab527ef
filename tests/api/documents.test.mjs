// The documents' own calls: the four of the Studio API with their example bodies and answers, and the
// five curl lines of the Scenarios API, run by curl.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { DEFAULT_KEY, request, serve, sql, studio, temporaryDirectory } from './client.mjs';
import { control } from './control.mjs';
import { CREATE, curlIn, DELETE, GET, INSTRUCTIONS, JOB_EXAMPLE, LIST, SAMPLE_ID, SCENARIO_CHANGE,
    SCENARIO_EXAMPLE, SESSION_EXAMPLE, UPDATE } from './examples.mjs';
import { startServer } from '../support/server.mjs';

const NEW_JOB = {
    id: 'j1o2b3i4d5x6',
    status: 'queued',
    scenario: null,
    error: null,
    created_at: '2024-03-01T10:00:00Z',
    started_at: null,
    completed_at: null,
    duration_seconds: null,
    is_new: true,
};

const CANCELLED_JOB = {
    id: 'j1o2b3i4d5x6',
    status: 'cancelled',
    scenario: null,
    error: null,
    created_at: '2024-03-01T10:00:00Z',
    started_at: '2024-03-01T10:00:05Z',
    completed_at: '2024-03-01T10:00:10Z',
    duration_seconds: 5,
};

/** An answer with what differs from run to run (ids, times, urls) replaced by what the example has. */
function likeExample(answer, example) {
    const shape = { id: /^[0-9a-f]{12}$/, created_at: /Z$/, started_at: /Z$/, completed_at: /Z$/,
        duration_seconds: /^[\d.]+$/, url: /^http:/ };
    return Object.fromEntries(Object.entries(answer).map(([name, value]) => {
        if (!(name in shape) || value === null) return [name, value];
        assert.match(String(value), shape[name], name);
        return [name, example[name]];
    }));
}

/** Equal to the byte: the same members in the same order with the same values. */
function assertExample(answer, status, example) {
    assert.equal(answer.status, status, answer.text);
    assert.equal(JSON.stringify(likeExample(answer.body, example)), JSON.stringify(example));
}

const assertText = (answer, status, example) =>
    assert.equal(`${answer.status} ${answer.text}`, `${status} ${JSON.stringify(example)}`);

const UNAUTHORIZED = { error: { type: 'authentication_error', code: 'invalid_api_key',
    message: 'Invalid or inactive API key' } };

let server;
let api;
before(async () => {
    server = await startServer({ args: ['--queue-time', '1h'] });
    api = studio(server);
});
after(() => server.stop());

test('S13: the document "Create Scenario Studio session"', async () => {
    const example = { id: 'x9y8z7w6v5u4', url: 'https://acme-corp.app.exec.com/chat/x9y8z7w6v5u4',
        is_new: true };
    const answer = await api.createSession(SESSION_EXAMPLE);
    assertExample(answer, 200, example);
    assert.ok(answer.body.url.endsWith(`/chat/${answer.body.id}`), 'as in the example');
    assertExample(await api.createSession(SESSION_EXAMPLE), 200, { ...example, is_new: false });
    assertText(await studio(server, { key: null }).createSession(SESSION_EXAMPLE), 401, UNAUTHORIZED);
});

test('S5, S7, S8, S9, S14: the document "Create Scenario job"', async () => {
    const made = await api.createJob(JOB_EXAMPLE);
    assertExample(made, 201, NEW_JOB);
    assertExample(await api.createJob(JOB_EXAMPLE), 200, { ...NEW_JOB, is_new: false });
    const { prompt, ...without } = JOB_EXAMPLE;
    assertText(await api.createJob(without), 400,
        { error: { type: 'invalid_request', message: 'prompt is required' } });
    assertText(await api.createJob({ ...JOB_EXAMPLE, prompt: prompt.padEnd(10_001, '.') }), 400,
        { error: { type: 'invalid_request', code: 'prompt_too_long',
            message: 'prompt must be 10000 characters or fewer' } });
    assertText(await api.createJob({ ...JOB_EXAMPLE, request_id: 'another',
        user_email: 'unknown@example.com' }), 400, { error: { type: 'invalid_request',
        code: 'user_not_found', message: 'No user found with email: unknown@example.com' } });
    assertText(await api.createJob({ ...JOB_EXAMPLE, request_id: 'another',
        scenario_slug: 'invalid-slug' }), 404,
    { error: { type: 'not_found', message: 'Scenario not found: invalid-slug' } });
    assertText(await studio(server, { key: null }).createJob(JOB_EXAMPLE), 401, UNAUTHORIZED);
});

test('S15, S16, S17: the document "Cancel Scenario job"', async (t) => {
    assertText(await api.cancelJob('j1o2b3i4d5x6'), 404, { error: { type: 'not_found',
        code: 'job_not_found', message: 'Job not found: j1o2b3i4d5x6' } });
    const quick = studio(await serve(t, { args: ['--queue-time', '0ms', '--processing-time', '0ms'] }));
    const { id } = await quick.newJob();
    await quick.jobEnd(id);
    assertText(await quick.cancelJob(id), 400, { error: { type: 'invalid_request',
        code: 'job_not_cancellable', message: 'Cannot cancel job in \'completed\' state' } });
    const slow = studio(await serve(t, { args: ['--queue-time', '0ms', '--processing-time', '1h'] }));
    const started = await slow.newJob();
    await slow.jobIn(started.id, 'processing');
    assertExample(await slow.cancelJob(started.id), 200, CANCELLED_JOB);
    assertText(await studio(server, { key: null }).cancelJob('j1o2b3i4d5x6'), 401, UNAUTHORIZED);
});

// The examples' id and times are put into the store while no server has it; what becomes of the job
// then, the next server works out from the stored due times.
const CREATED = Date.parse('2024-03-01T10:00:00Z');
const MOVE = `UPDATE job SET id = '${NEW_JOB.id}', created_at = ${CREATED}, due_at = `;

// Its callback goes to a workspace's own inbox, for hooks.acme.com is somebody else's.
async function movedJob(t, changes) {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const maker = await startServer({ db: file, args: ['--queue-time', '5s', '--processing-time', '145s'] });
    await control(maker).set({ callback_map: { 'https://hooks.acme.com': 'http://inbox.test' } });
    await studio(maker).newJob(JOB_EXAMPLE);
    await maker.stop();
    await sql(file, MOVE + changes, { write: true });
    const moved = await serve(t, { db: file });
    return { ...studio(moved),
        received: () => control(moved).must(200, 'GET', '/inbox/exec-scenarios?min=1&wait=30s') };
}

test('S18, S19, S20: the document "Get Scenario job": queued', async (t) => {
    const moved = await movedJob(t, `${Date.now()} + 3600000`);
    const { is_new, ...queued } = NEW_JOB;
    assertText(await moved.getJob(NEW_JOB.id), 200, queued);
    assertText(await moved.createJob(JOB_EXAMPLE), 200, { ...queued, is_new: !is_new });
});

test('S18, S19, S20: the document "Get Scenario job": processing', async (t) => {
    const moved = await movedJob(t, `${Date.now()} + 3600000, status = 1, started_at = ${CREATED + 5000}`);
    assertText(await moved.getJob(NEW_JOB.id), 200, { id: 'j1o2b3i4d5x6', status: 'processing',
        scenario: null, error: null, created_at: '2024-03-01T10:00:00Z',
        started_at: '2024-03-01T10:00:05Z', completed_at: null, duration_seconds: null });
});

test('S18, S19, S20, S25: the document "Get Scenario job": completed, its duplicate, its callback', async (t) => {
    const moved = await movedJob(t, `${CREATED + 5000}`);
    const answer = await moved.getJob(NEW_JOB.id);
    const { id, url } = answer.body.scenario;
    // The name and the slug are the generator's; the documents' own differ between each other.
    const completed = { id: 'j1o2b3i4d5x6', status: 'completed',
        scenario: { id, slug: 'discovery-call-with-skeptical-it-director',
            name: 'Discovery Call with Skeptical IT Director', url },
        error: null, created_at: '2024-03-01T10:00:00Z', started_at: '2024-03-01T10:00:05Z',
        completed_at: '2024-03-01T10:02:30Z', duration_seconds: 145 };
    assertText(answer, 200, completed);
    assertText(await moved.createJob(JOB_EXAMPLE), 200, { ...completed, is_new: false });
    const { items: [message] } = await moved.received();
    assert.equal(message.body, answer.text);
    assert.equal(message.headers.Authorization, 'Bearer webhook-secret-token');
    assert.equal(message.headers['Content-Type'], 'application/json');
});

test('S18, S20, S23: the document "Get Scenario job": failed', async (t) => {
    const moved = await movedJob(t, `${CREATED + 5000}, prompt = '...', processing_time = 25000`);
    assertText(await moved.getJob(NEW_JOB.id), 200, { id: 'j1o2b3i4d5x6', status: 'failed',
        scenario: null, error: { code: 'GENERATION_ERROR',
            message: 'Unable to generate scenario from the provided prompt' },
        created_at: '2024-03-01T10:00:00Z', started_at: '2024-03-01T10:00:05Z',
        completed_at: '2024-03-01T10:00:30Z', duration_seconds: 25 });
});

test('S1, S16: the document "Get Scenario job": its errors', async () => {
    assertText(await api.getJob('abc123'), 404,
        { error: { type: 'not_found', code: 'job_not_found', message: 'Job not found: abc123' } });
    assertText(await request(server, 'GET', '/rest/v1/scenario-studio/jobs/abc123'), 401, UNAUTHORIZED);
    assert.equal(DEFAULT_KEY.length, 'exec_live_'.length + 40);
});

test('E1, E2, E3, E4, E5: the five curl lines of the Scenarios API, with its sample id', async (t) => {
    const curl = await curlIn(t, (await serve(t)).port);
    const notFound = '{"error":"Scenario not found"}';
    assert.deepEqual(await curl(LIST), [200, '[]']);
    assert.deepEqual(await curl(GET), [404, notFound]);
    assert.deepEqual(await curl(UPDATE), [404, notFound]);
    assert.deepEqual(await curl(DELETE), [404, notFound]);
    assert.equal((await curl(CREATE))[0], 201);
    assert.deepEqual(await curl(CREATE),
        [409, '{"error":"Scenario with name \\"booking-cancellation\\" already exists"}']);
    assert.equal(JSON.parse((await curl(LIST))[1]).length, 1);
});

test('E1, E2, E3, E4, E5, E6, E9: the five curl lines with a real id', async (t) => {
    const curl = await curlIn(t, (await serve(t)).port);
    const [status, text] = await curl(CREATE);
    assert.equal(status, 201);
    const created = JSON.parse(text);
    const { id, createdAt, updatedAt } = created;
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(text, JSON.stringify({ id, name: 'booking-cancellation', instructions: INSTRUCTIONS,
        failureCriteriaMode: 'on_max_messages', createdAt, updatedAt: createdAt }));
    assert.equal(updatedAt, createdAt);

    const real = (line) => line.replace(SAMPLE_ID, id);
    assert.deepEqual(await curl(real(GET)), [200, text]);
    assert.deepEqual(await curl(LIST), [200, `[${text}]`]);

    const [changedStatus, changedText] = await curl(real(UPDATE));
    const changed = JSON.parse(changedText);
    assert.equal(changedStatus, 200);
    assert.deepEqual(changed, { ...created, updatedAt: changed.updatedAt,
        instructions: 'Customer wants to cancel appointment. VIP customer with flexible policy.' });
    assert.ok(changed.updatedAt >= updatedAt);

    assert.deepEqual(await curl(real(DELETE)), [204, '']);
    assert.deepEqual(await curl(real(GET)), [404, '{"error":"Scenario not found"}']);
    assert.deepEqual(await curl(LIST), [200, '[]']);
});

test('E2, E4, E6: the bodies of the Scenarios API\'s document', async (t) => {
    const own = await serve(t);
    const made = await request(own, 'POST', '/api/projects/PROJECT_ID/scenarios', { body: SCENARIO_EXAMPLE });
    assert.equal(made.status, 201);
    const { id, createdAt, updatedAt } = made.body;
    assert.deepEqual(made.body, { ...SCENARIO_EXAMPLE, id, createdAt, updatedAt });
    const changed = await request(own, 'PUT', `/api/projects/PROJECT_ID/scenarios/${id}`, { body: SCENARIO_CHANGE });
    assert.equal(changed.status, 200);
    assert.deepEqual(changed.body, { ...made.body, ...SCENARIO_CHANGE, updatedAt: changed.body.updatedAt });
});
