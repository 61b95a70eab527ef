// GET /_mock/timeline and GET /_mock/jobs/{job}/timeline: what happened, in one ordered list, and the
// page of it that a test prints when it has failed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { job, scenarios, serve, studio, until } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { receive } from './receiver.mjs';
import { Wire, request as message } from './wire.mjs';

let server;
before(async () => { server = await startServer(); });
after(() => server.stop());

/** A workspace of the test's own, whose clock stands unless it is said otherwise. */
async function place(on = server, body = {}, options = {}) {
    const made = await control(on, options).make({ members: ['*@acme.com'], clock: 'manual',
        settings: { queue_time: '10s', processing_time: '290s' }, ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(on, { prefix, ...options });
    const timeline = async (query = '', of = '') =>
        mock.must(200, 'GET', `${of && `/jobs/${of}`}/timeline${query}`);
    return {
        made, prefix, mock, timeline, key: made.api_key,
        api: studio(on, { key: made.api_key, prefix }),
        rule: (match, act, rest = { times: 1 }) => mock.must(201, 'POST', '/rules',
            { body: { match, do: act, ...rest } }),
        advance: (by) => mock.must(200, 'POST', '/clock/advance', { body: { by } }),
        page: async (of = '', query = '') =>
            (await mock.send('GET', `${of && `/jobs/${of}`}/timeline?format=text${query}`)).text,
    };
}

/** An item in short: what a reader looks at first. */
function brief(item) {
    const said = {
        request: ({ method, status, state }) => [method, status, state],
        control: ({ operation, status }) => [operation, status],
        transition: ({ from, to, cause }) => [from, to, cause],
        rule: ({ label }) => [label],
        fault: ({ fault }) => [fault],
        delivery: ({ status }) => [status],
        attempt: ({ attempt, outcome }) => [attempt, outcome],
    }[item.kind](item);
    return [item.kind, ...said].map(String).join(' ');
}
const briefs = ({ items }) => items.map(brief);

test('C9, C10: a job\'s whole story, causes before effects, at one instant too', async (t) => {
    const receiver = await receive(t, { answer: [500, 200] });
    const { api, mock, key, rule, advance, timeline } = await place(server, {
        settings: { queue_time: '10s', processing_time: '290s', callback_retries: ['5s'] } });
    await rule({ operation: 'createScenarioJob' }, { respond: '503:storage_busy' }, { times: 1, label: 'busy' });
    await rule({ operation: 'createScenarioJob' }, { drop: 'after_commit' }, { times: 1, label: 'lost' });
    await rule({ email: '*' }, { job: { end: 'failed', error: { code: 'QUOTA' } } }, { times: 1, label: 'fails' });
    const body = job({ request_id: 'opp-17', callback_url: receiver.url });
    assert.equal((await api.createJob(body)).status, 503);
    await assert.rejects(api.createJob(body));
    const { id } = (await api.createJob(body)).body;
    await api.createJob(job({ user_email: 'else@acme.com' })); // another one's
    await mock.must(200, 'POST', '/clock/advance', { body: { by: '10s' }, headers: { Authorization: `Bearer ${key}` } });
    await api.getJob(id);
    await advance('10m');
    await api.cancelJob(id);
    const whole = await timeline('', id);
    assert.deepEqual(briefs(whole), [
        'control createRule 201', 'control createRule 201', 'control createRule 201',
        'request POST 503 null', 'rule busy',
        'request POST null null', 'rule lost', 'rule fails', 'transition null queued request', 'fault dropped',
        'request POST 200 queued',
        'control advanceClock 200',
        'transition queued processing timer',
        'request GET 200 processing',
        'control advanceClock 200',
        'transition processing failed timer', 'delivery delivered', 'attempt 1 failed', 'attempt 2 delivered',
        'request DELETE 400 null',
    ]);
    assert.deepEqual([whole.complete, whole.missing, whole.unanswered], [true, [], 0]);
    assert.match(whole.headline, /^Job [0-9a-f]{12} failed after 5m: QUOTA, ".*" \(rule [0-9a-f]{12} "fails"\)$/);
    const seconds = (item) => (Date.parse(item.at) - Date.parse(whole.items[0].at)) / 1000;
    assert.deepEqual([...new Set(whole.items.map(seconds))], [0, 10, 300, 305, 610]);
    assert.deepEqual(whole.items.filter(({ caller }) => caller).map(({ caller, key: last }) => [caller, last]),
        [['loopback', null], ['loopback', null], ['loopback', null], ['key', key.slice(-4)], ['loopback', null]]);
    const made = whole.items.find(({ kind }) => kind === 'transition');
    assert.equal(made.request, whole.items.find(({ end }) => end === 'dropped').request);
});

test('C10: what requests were answered tells where a timer\'s transition was, on a clock that stands', async () => {
    const { api, mock, timeline } = await place(server, { settings: { queue_time: '0ms', processing_time: '0ms' } });
    const { id } = await api.newJob({ user_email: 'jane+hold@acme.com' });
    await api.jobIn(id, 'processing');
    await mock.must(200, 'POST', `/jobs/${id}/release`);
    await api.jobIn(id, 'completed');
    const items = briefs(await timeline('', id)).filter((text, i, all) => text !== all[i - 1]);
    assert.deepEqual(items.filter((text) => text !== 'request GET 200 queued'), [
        'request POST 201 queued', 'transition null queued request',
        'transition queued processing timer', 'request GET 200 processing',
        'control releaseJob 200', 'transition processing completed timer', 'request GET 200 completed',
    ]);
});

test('a transition stands behind what brought it about: DELETE, GET, rule or control plane', async () => {
    const { api, mock, rule, timeline, advance } = await place();
    const story = async (id) => briefs(await timeline('', id)).filter((text) => !text.includes('Rule'));
    const cancelled = await api.newJob();
    await api.getJob(cancelled.id);
    await api.cancelJob(cancelled.id);
    await api.getJob(cancelled.id);
    assert.deepEqual(await story(cancelled.id), [
        'request POST 201 queued', 'transition null queued request', 'request GET 200 queued',
        'request DELETE 200 cancelled', 'transition queued cancelled request', 'request GET 200 cancelled']);
    const moved = await api.newJob();
    await mock.must(200, 'POST', `/jobs/${moved.id}/transition`, { body: { to: 'failed', error: { code: 'X' } } });
    assert.deepEqual((await story(moved.id)).slice(2), ['control transitionJob 200',
        'transition queued processing control', 'transition processing failed control']);
    await rule({ operation: 'createScenarioJob' }, { job: { polls: { queued: 1, processing: 0 } } }, { times: 1, label: 'polls' });
    const polled = await api.newJob();
    await api.getJob(polled.id);
    await api.getJob(polled.id);
    assert.deepEqual((await story(polled.id)).slice(3), ['request GET 200 queued', 'request GET 200 completed',
        'transition queued processing poll', 'transition processing completed poll']);
    const ruled = await api.newJob();
    await rule({ operation: 'getScenarioJob' }, { transition: { to: 'processing' } }, { times: 1, label: 'moves' });
    await api.getJob(ruled.id);
    await advance('1h');
    assert.deepEqual((await story(ruled.id)).slice(2), ['request GET 200 processing', 'rule moves',
        'transition queued processing rule', 'control advanceClock 200', 'transition processing completed timer']);
});

test('a callback before the answer, one by hand, and one that a rule drops', async () => {
    const { api, mock, rule, timeline } = await place();
    await mock.set({ callback_map: { '*': 'http://inbox.test/all' } });
    await rule({ email: 'early@acme.com' }, { webhook: { send: 'before_answer' } }, { times: 1, label: 'early' });
    await rule({ email: 'none@acme.com' }, { webhook: { drop: true } }, { times: 1, label: 'none' });
    const body = (name) => ({ user_email: `${name}@acme.com`, callback_url: 'https://hooks.acme.com/done' });
    const early = await api.newJob(body('early'));
    const { items: [{ id }] } = await mock.must(200, 'GET', `/webhooks?job=${early.id}`);
    await mock.must(200, 'POST', `/webhooks/${id}/redeliver`);
    const list = (await timeline('', early.id)).items.filter(({ operation }) => !/^(createRule|updateSettings)$/.test(operation));
    assert.deepEqual(list.map(brief), ['request POST 201 queued', 'rule early', 'transition null queued request',
        'transition queued processing rule', 'transition processing completed rule', 'delivery delivered',
        'attempt 1 delivered', 'control redeliverWebhook 200', 'attempt 2 delivered']);
    assert.deepEqual(list.filter(({ kind }) => kind === 'attempt').map((item) => item.by_hand), [false, true]);
    const none = await api.newJob(body('none'));
    await api.cancelJob(none.id);
    const dropped = (await timeline('', none.id)).items.at(-1);
    assert.equal(brief(dropped), 'delivery dropped');
    assert.match(dropped.text, /: dropped \(rule [0-9a-f]{12} "none"\)$/);
});

test('a session\'s job has its session\'s requests; the workspace has all, the Scenarios API too', async () => {
    const { api, made, prefix, timeline } = await place();
    const session = (await api.createSession(job({ request_id: 's' }))).body;
    await api.page(`/chat/${session.id}`);
    await api.createSession(job({ request_id: 'other' }));
    await scenarios(server, { prefix, project: made.project_id }).create({ name: 'a' });
    const { items } = await timeline();
    assert.deepEqual(items.map(brief), ['request POST 200 null', 'request GET 200 null', 'transition null queued request',
        'request POST 200 null', 'request POST 201 null']);
    assert.deepEqual(briefs(await timeline('', items[2].job)), items.slice(0, 3).map(brief));
});

test('C7: control writes name their callers, and their jobs', async (t) => {
    const token = 'a-token-of-some-length-0123456789';
    const bearer = (value) => ({ Authorization: `Bearer ${value}` });
    const open = await serve(t, { args: ['--control-token', token, '--control', 'open'] });
    const { api, mock, key, timeline } = await place(open);
    const { id } = await api.newJob();
    for (const headers of [{}, bearer(token), bearer(key), { Via: '1.1 proxy' }])
        await mock.send('POST', `/jobs/${id}/release`, { headers });
    const writes = (await timeline('', id)).items.filter(({ kind }) => kind === 'control');
    assert.deepEqual(writes.map((item) => [item.caller, item.key, item.job, item.status]),
        [['loopback', null, id, 409], ['control_token', null, id, 409], ['key', key.slice(-4), id, 409],
            ['anybody', null, id, 409]]);
    assert.ok(!JSON.stringify(writes).includes(token.slice(-4)));
});

test('C9: since, limit and format', async () => {
    const { api, mock, made, timeline, advance } = await place();
    const first = await api.newJob();
    const { cursor } = await timeline();
    assert.deepEqual((await timeline(`?since=${cursor}`)).items, []);
    await advance('10s'); // moves the one that was before
    await api.newJob();
    await api.cancelJob(first.id);
    const rest = briefs(await timeline(`?since=${cursor}`));
    assert.deepEqual(rest, ['control advanceClock 200', 'transition queued processing timer',
        'request POST 201 queued', 'transition null queued request',
        'request DELETE 200 cancelled', 'transition processing cancelled request']);
    const whole = await timeline(`?since=${made.cursor}`);
    assert.deepEqual(briefs(whole), ['request POST 201 queued', 'transition null queued request', ...rest]);
    const pages = [];
    for (let since = made.cursor; ;) {
        const page = await timeline(`?limit=3&since=${since}`);
        pages.push(page.items);
        since = page.cursor;
        if (page.items.length < 3) break;
    }
    assert.deepEqual(pages.flat(), whole.items);
    const wrong = (query) => mock.send('GET', `/timeline${query}`);
    assertProblem(await wrong('?since=9999999'), 422, 'invalid_parameter', /^since must be a cursor/);
    assertProblem(await wrong('?since=0.0.0.0.0.0.9999999'), 422, 'invalid_parameter', /^since must be a cursor/);
    assertProblem(await wrong('?format=txet'), 422, 'invalid_parameter', /^format must be json or text/, /"text"/);
    assertProblem(await mock.send('GET', '/jobs/none/timeline'), 404, 'job_not_found');
});

test('the page: a headline, what is not known, and a line for each, of one line whatever is in it', async () => {
    const { api, mock, rule, page, prefix, key } = await place();
    assert.match(await page(), /^Workspace \S+: 0 requests, 0 jobs\n[^]*\nNothing has happened\.\n/);
    const evil = 'red\u001b[31m\n2024 fake \u202eline';
    await rule({}, { delay: '0ms' }, { times: 1, label: evil });
    const { id } = await api.newJob({ prompt: evil, request_id: evil });
    const text = await page(id);
    const lines = text.split('\n');
    assert.match(lines[0], new RegExp(`^Job ${id} is queued, due in 10s$`));
    assert.match(lines[1], /^ {2}asked by jane@acme\.com, request_id "red \[31m 2024 fake line": "red \[31m 2024 fake line"$/);
    assert.match(lines[2], /^ {2}workspace \S+, clock manual, now at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC$/);
    assert.match(lines[3], /^ {2}by the workspace's clock; at one instant cause before effect, then as sent; \[n\]: \/_mock\/requests\/n$/);
    assert.match(text, /"red \[31m 2024 fake line": has it wait for 0ms\n/);
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
    const body = lines.slice(lines.indexOf('') + 2, -1);
    assert.equal(body.length, 4);
    for (const line of body) assert.match(line, /^(\d\d:\d\d:\d\d\.\d{3}| {12}) {2}(control|request|rule|transition) +\S/);
    for (const line of body) assert.ok(line.length <= 100, line);
});

test('requests under way are counted, and are there when they have ended', async (t) => {
    let end;
    const receiver = await receive(t, { answer: () => new Promise((resolve) => { end = () => resolve(200); }) });
    const { api, rule, page, prefix, key, timeline } = await place();
    await rule({}, { webhook: { send: 'before_answer' } });
    const answered = api.createJob(job({ callback_url: receiver.url }));
    await receiver.came(1);
    const { cursor, unanswered, items } = await timeline();
    assert.deepEqual([unanswered, briefs({ items }).includes('request POST 201 queued')], [1, false]);
    assert.match(await page(), /\n {2}1 request is not answered yet, so not shown\n/);
    end();
    await answered;
    const rest = await timeline(`?since=${cursor}`);
    // Its transitions once more, now that it is known what brought them about.
    assert.deepEqual([rest.unanswered, briefs(rest)], [0, ['request POST 201 queued', 'rule null',
        'transition queued processing rule', 'transition processing completed rule', 'attempt 1 delivered']]);
    const wire = await Wire.open(server.port);
    await wire.flush(message('POST', `${prefix}/rest/v1/scenario-studio/jobs`,
        { headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json',
            'Content-Length': 1000, Expect: '100-continue' } }));
    await until(() => wire.received.includes('100'), { what: 'the server to have read its head' });
    wire.destroy();
    const left = await until(async () => (await timeline(`?since=${rest.cursor}`)).items[0], { what: 'its end' });
    assert.match(left.text, /^\[\d+\] POST \S+ → no answer: its client left after \S+$/);
});

test('a reset begins anew, and DELETE /requests is told', async () => {
    const { api, mock, timeline } = await place();
    await api.newJob();
    await mock.must(200, 'DELETE', '/requests');
    const less = await timeline();
    assert.deepEqual(briefs(less), ['transition null queued request', 'control deleteRequests 200']);
    assert.deepEqual([less.complete, less.missing.length], [false, 1]);
    assert.match(less.missing[0], /^Requests up to \[1\] were deleted/);
    assert.equal((await timeline(`?since=${less.cursor}`)).complete, true);
    await mock.must(201, 'POST', '/rules', { body: { label: 'sees', match: {} } });
    await api.newJob();
    assert.ok(briefs(await timeline()).includes('rule sees'));
    await mock.must(200, 'POST', '/reset', { body: { keep: ['rules'] } });
    const none = await timeline();
    assert.deepEqual(briefs(none), ['control resetWorkspace 200']);
    assert.deepEqual([none.complete, none.missing], [true, []]);
});
