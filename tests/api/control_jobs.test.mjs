// The control plane's view of jobs, and what it has them do: C1, C2, C9 (lists), S18, S22, S23, S24;
// jobs that are held, and jobs that reads move.

import assert from 'node:assert/strict';
import test from 'node:test';

import { inParallel, job as jobBody, serve, sql, studio } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { planned, START } from './planned.mjs';

const ids = ({ items }) => items.map(({ id }) => id);
const at = (ms) => new Date(START + ms).toISOString();
const transitionsOf = ({ transitions }) =>
    transitions.map(({ to, at: when, cause }) => `${to} ${Date.parse(when) - START} ${cause}`);

/** A workspace with these clients, whose jobs stay queued unless `settings` say otherwise. */
async function place(server, body = {}) {
    const made = await control(server).make({ members: ['*@acme.com', '*@globex.example'],
        settings: { queue_time: '1h' }, ...body });
    const prefix = `/w/${made.slug}`;
    return { made, mock: control(server, { prefix }), api: studio(server, { key: made.api_key, prefix }) };
}

test('C9, S18: a job as its API shows it, and what a tester needs besides', async (t) => {
    const { mock, api } = await place(await serve(t));
    await mock.must(201, 'POST', '/scenarios', { body: { name: 'Source' } });
    const body = jobBody({ user_email: 'Jane@Acme.com', prompt: 'Say "é"', context: '# Notes',
        scenario_slug: 'source', request_id: 'r-1', callback_url: 'http://127.0.0.1:9/x',
        callback_headers: { 'X-Token': 'hidden-value', Authorization: 'Bearer hidden-value' } });
    const made = await api.newJob(body);
    const answer = await mock.send('GET', `/jobs/${made.id}`);
    assert.equal(answer.status, 200);
    assert.doesNotMatch(answer.text, /hidden-value/);
    const { is_new: isNew, ...shown } = made;
    const { due_at: due, transitions: [first], ...rest } = answer.body;
    assert.equal(isNew, true);
    assert.deepEqual(rest, { ...shown, user_email: body.user_email, prompt: body.prompt,
        context: body.context, scenario_slug: 'source', request_id: 'r-1', session: null,
        callback_url: body.callback_url, callback_headers: ['X-Token', 'Authorization'],
        held: false, polls: null, rule: null });
    assert.equal(Date.parse(due) - Date.parse(first.at), 3_600_000);
    assert.deepEqual(Object.keys(first), ['to', 'at', 'cause']);
    assert.equal(`${first.to} ${first.cause}`, 'queued request');

    const { items, cursor } = await mock.must(200, 'GET', '/jobs');
    assert.deepEqual(items, [answer.body], 'the list shows the same');
    assert.equal(typeof cursor, 'string');
    assertProblem(await mock.send('GET', '/jobs/000000000000'), 404, 'job_not_found');
});

test('C9: every filter, alone and together; S2: no job of another workspace', async (t) => {
    const server = await serve(t);
    const { mock, api } = await place(server);
    const other = await place(server);
    await mock.must(201, 'POST', '/scenarios', { body: { name: 'Source' } });
    const make = async (fields) => (await api.newJob(fields)).id;
    const a = await make({ request_id: 'a', prompt: 'A renewal call', user_email: 'Jane@acme.com' });
    const b = await make({ prompt: 'A 100% sale_s call', user_email: 'joe@globex.example' });
    const c = await make({ scenario_slug: 'source', prompt: 'renewal' });
    await other.api.newJob({ request_id: 'a', prompt: 'A renewal call' });
    const session = (await api.createSession(jobBody({ prompt: 'In a session' }))).body;
    await api.page(new URL(session.url).pathname.replace(/^\/w\/[^/]*/, ''));
    const d = ids(await mock.must(200, 'GET', '/jobs'))[3];
    await api.cancelJob(b);
    const cases = [['', [a, b, c, d]], ['request_id=a', [a]], ['request_id=none', []],
        ['status=queued', [a, c, d]], ['status=cancelled', [b]], ['status=failed', []],
        ['user_email=jane@ACME.com', [a, c, d]], ['user_email=*@globex.example', [b]],
        ['user_email=j*e*', [a, b, c, d]], ['user_email=jane', []],
        ['prompt=renewal', [a, c]], ['prompt=Renewal', []], ['prompt=100%25', [b]],
        ['prompt=sale_', [b]], ['scenario_slug=source', [c]], [`session=${session.id}`, [d]],
        ['prompt=call&status=queued&user_email=*acme*', [a]],
        ['request_id=a&prompt=renewal&status=queued', [a]], ['request_id=a&status=failed', []]];
    for (const [query, expected] of cases)
        assert.deepEqual(ids(await mock.must(200, 'GET', `/jobs?${query}`)), expected, query);
    const [shown] = (await mock.must(200, 'GET', `/jobs?session=${session.id}`)).items;
    assert.equal(shown.session, session.id);
    assert.equal((await other.mock.send('GET', `/jobs/${a}`)).status, 404);
});

test('C9: limit and since leave nothing out and show nothing twice', async (t) => {
    const server = await serve(t);
    const { made, mock, api } = await place(server);
    assert.equal(made.cursor, (await mock.must(200, 'GET', `/workspaces/${made.slug}`)).cursor);
    const all = await inParallel(8, Array.from({ length: 120 }), async () => (await api.newJob()).id);
    const pages = [];
    for (let since = ''; ;) {
        const page = await mock.must(200, 'GET', `/jobs?limit=50${since}`);
        if (!page.items.length) break;
        pages.push(ids(page));
        since = `&since=${page.cursor}`;
    }
    assert.deepEqual(pages.map(({ length }) => length), [50, 50, 20]);
    assert.deepEqual(new Set(pages.flat()), new Set(all));
    assert.equal((await mock.must(200, 'GET', '/jobs?limit=100')).items.length, 100);
    assert.equal((await mock.must(200, 'GET', '/jobs')).items.length, 120, 'the default is 1000');
    assert.equal((await mock.must(200, 'GET', `/jobs?limit=1000&since=${made.cursor}`)).items.length,
        120, 'the cursor of a new workspace is before everything');
    const { cursor } = await mock.must(200, 'GET', `/workspaces/${made.slug}`);
    assert.deepEqual((await mock.must(200, 'GET', `/jobs?since=${cursor}`)).items, []);
    const next = await api.newJob();
    assert.deepEqual(ids(await mock.must(200, 'GET', `/jobs?since=${cursor}`)), [next.id]);
    for (const list of ['keys', 'members'])
        assert.match((await mock.must(200, 'GET', `/${list}`)).cursor, /^\d+(\.\d+)+$/);
});

test('C9: a list of long jobs ends early, and its cursor goes on', async (t) => {
    const { mock, api } = await place(await serve(t));
    const context = '\u{1F600}'.repeat(50_000);
    for (let i = 0; i < 25; i++) await api.newJob({ context });
    const seen = [];
    let { items, cursor } = await mock.must(200, 'GET', '/jobs');
    assert.ok(items.length < 25, 'not all at once');
    while (items.length) {
        seen.push(...items.map(({ id }) => id));
        ({ items, cursor } = await mock.must(200, 'GET', `/jobs?since=${cursor}`));
    }
    assert.equal(new Set(seen).size, 25);
    assert.equal(seen.length, 25);
});

test('C9: workspaces in parts', async (t) => {
    const server = await serve(t);
    const mock = control(server);
    for (let i = 0; i < 6; i++) await mock.make({ slug: `w${i}` });
    const first = await mock.must(200, 'GET', '/workspaces?limit=4');
    const second = await mock.must(200, 'GET', `/workspaces?limit=4&since=${first.cursor}`);
    assert.deepEqual([...first.items, ...second.items].map(({ slug }) => slug),
        ['acme-corp', 'w0', 'w1', 'w2', 'w3', 'w4', 'w5']);
    assert.deepEqual((await mock.must(200, 'GET', `/workspaces?since=${second.cursor}`)).items, []);
});

test('C2, C3: what a query may not say', async (t) => {
    const { mock } = await place(await serve(t));
    const near = { 'staus=queued': /"status"/, 'user-email=x': /"user_email"/, 'min_=1': /"min"/,
        'until=terminal': /known here: status, .*workspace/ };
    for (const [query, hint] of Object.entries(near))
        assertProblem(await mock.send('GET', `/jobs?${query}`), 422, 'unknown_parameter',
            /There is no query parameter/, hint);
    assertProblem(await mock.send('GET', '/jobs/0?utnil=terminal'), 422, 'unknown_parameter', /utnil/,
        /"until"/);
    assertProblem(await mock.send('GET', '/keys?limit=1'), 422, 'unknown_parameter');
    const wrong = ['status=done', 'status=', 'limit=0', 'limit=1001', 'limit=x', 'limit=1.5', 'limit=-1',
        'limit=99999999999999999999', 'min=0', 'min=1001', 'wait=5', 'wait=5m1s', 'wait=301s',
        'wait=-1s', 'since=x', 'since=1.2.3.4.5', 'since=1.', 'since=.1', 'since=-1.0', 'since=1.1',
        'request_id=', 'prompt=', 'user_email=', 'session=', 'scenario_slug=', 'min=3&limit=2',
        'limit=1&limit=2', 'status=queued&status=queued'];
    for (const query of wrong)
        assertProblem(await mock.send('GET', `/jobs?${query}`), 422, 'invalid_parameter');
    for (const query of ['until=queued', 'until=done', 'until=', 'until=terminal&wait=6m'])
        assertProblem(await mock.send('GET', `/jobs/0?${query}`), 422, 'invalid_parameter');
    assertProblem(await mock.send('GET', '/jobs/0?wait=1s'), 422, 'missing_parameter');
});

/* -- transitions ------------------------------------------------------------------------------- */

const move = (mock, id, body) => mock.send('POST', `/jobs/${id}/transition`, { body });

test('S22, C1: every transition from every state, at the clock\'s now', async (t) => {
    const states = { queued: [], processing: ['processing'], completed: ['completed'],
        failed: ['failed'], cancelled: ['cancelled'] };
    const targets = ['processing', 'completed', 'failed', 'cancelled'];
    const legal = { queued: targets, processing: targets.slice(1) };
    const pairs = Object.keys(states).flatMap((from) => targets.map((to) => [from, to]));
    const { mock, api, jobs } = await planned(t, pairs.map(() => ({})));
    await inParallel(4, pairs, async ([from, to], index) => {
        const id = jobs[index];
        for (const step of states[from])
            assert.equal((await move(mock, id, { to: step })).status, 200);
        const before = await mock.must(200, 'GET', `/jobs/${id}`);
        const answer = await move(mock, id, { to });
        if (!legal[from]?.includes(to)) {
            assertProblem(answer, 409, 'illegal_transition',
                new RegExp(`^The job is ${from} and cannot become ${to}$`));
            assert.deepEqual(await mock.must(200, 'GET', `/jobs/${id}`), before);
            return;
        }
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(await mock.must(200, 'GET', `/jobs/${id}`), answer.body);
        const { status, transitions } = answer.body;
        assert.equal(status, to);
        const passed = to === 'cancelled' && from === 'queued' ? ['queued', to]
            : [...new Set(['queued', 'processing', to])];
        assert.deepEqual(transitions.map((each) => `${each.to} ${each.cause}`),
            passed.map((name) => `${name} ${name === 'queued' ? 'request' : 'control'}`));
        for (const each of transitions) assert.equal(each.at, at(0), 'the clock stands');
        assert.equal((await api.readJob(id)).status, to);
    });
});

test('S23, S24: what a transition says of the end', async (t) => {
    const { mock, api, jobs } = await planned(t, [{}, {}, {}, {}, {},
        { end: 'failed', error: { code: 'PLANNED' } }]);
    const to = async (index, body) => (await mock.must(200, 'POST',
        `/jobs/${jobs[index]}/transition`, { body }));
    const plain = await to(0, { to: 'failed' });
    assert.deepEqual(plain.error, { code: 'GENERATION_ERROR',
        message: 'Unable to generate scenario from the provided prompt' });
    const own = await to(1, { to: 'failed', error: { code: 'X', message: 'Why "not"' } });
    assert.deepEqual(own.error, { code: 'X', message: 'Why "not"' });
    const policy = await to(2, { to: 'failed', error: { code: 'CONTENT_POLICY_VIOLATION' } });
    assert.equal(policy.error.message, 'The prompt violates the content policy');
    const named = await to(3, { to: 'completed', scenario: { name: 'My Näme', slug: 'mine' } });
    assert.equal(named.scenario.name, 'My Näme');
    assert.equal(named.scenario.slug, 'mine');
    const taken = await to(4, { to: 'completed', scenario: { slug: 'mine' } });
    assert.equal(taken.scenario.slug, 'mine-2');
    const page = await api.page(new URL(taken.scenario.url).pathname);
    assert.equal(page.status, 200, 'its page is there');
    const against = await to(5, { to: 'completed' });
    assert.equal(against.status, 'completed', 'what is said now counts above the plan');
    assert.equal(against.error, null);
});

test('C2: what a transition may not say', async (t) => {
    const { mock, jobs: [id] } = await planned(t, [{}]);
    const before = await mock.must(200, 'GET', `/jobs/${id}`);
    const wrong = [[{}, 'missing_field'], [{ to: 'queued' }], [{ to: 'complete' }], [{ to: 5 }],
        [{ to: 'failed', scenario: { name: 'x' } }], [{ to: 'completed', error: { code: 'X' } }],
        [{ to: 'cancelled', error: { code: 'X' } }], [{ to: 'failed', error: 'X' }],
        [{ to: 'failed', error: { code: '' } }], [{ to: 'failed', error: { code: 'x'.repeat(64) } }],
        [{ to: 'failed', error: { message: 'x'.repeat(512) } }],
        [{ to: 'failed', error: { cod: 'X' } }, 'unknown_field'],
        [{ to: 'completed', scenario: { slug: 'No' } }],
        [{ to: 'completed', scenario: { name: '' } }],
        [{ to: 'completed', scenario: { id: 'x' } }, 'unknown_field'],
        [{ to: 'failed', reason: 'x' }, 'unknown_field']];
    for (const [body, type = 'invalid_field'] of wrong)
        assertProblem(await move(mock, id, body), 422, type);
    assertProblem(await move(mock, '000000000000', { to: 'failed' }), 404, 'job_not_found');
    assertProblem(await mock.send('POST', `/jobs/${id}/release`, { body: { now: true } }), 422,
        'unknown_field');
    assert.deepEqual(await mock.must(200, 'GET', `/jobs/${id}`), before);
});

test('S25: a transition to an end owes the callback, once', async (t) => {
    const body = { callback_url: 'http://127.0.0.1:9/x' };
    const { mock, file, jobs } = await planned(t, [{ body }, { body }, { body }, {}]);
    for (const [index, to] of ['completed', 'failed', 'cancelled', 'completed'].entries())
        await mock.must(200, 'POST', `/jobs/${jobs[index]}/transition`, { body: { to } });
    await move(mock, jobs[0], { to: 'failed' });
    const rows = await sql(file, 'SELECT job.id FROM delivery JOIN job ON job.seq = delivery.job');
    assert.deepEqual(rows.map(({ id }) => id), jobs.slice(0, 3));
});

test('a place that a transition frees is taken at once, by who came first', async (t) => {
    const settings = { max_processing: 1 };
    const { mock, jobs: [a, b, c] } = await planned(t,
        [{ queued: 0 }, { queued: 0 }, { queued: 0 }], { workspace: { settings } });
    const statuses = async () =>
        (await mock.must(200, 'GET', '/jobs')).items.map(({ status }) => status);
    await mock.must(200, 'GET', `/jobs/${a}?until=processing&wait=60s`);
    assert.deepEqual(await statuses(), ['processing', 'queued', 'queued']);
    await mock.must(200, 'POST', `/jobs/${a}/transition`, { body: { to: 'failed' } });
    assert.deepEqual(await statuses(), ['failed', 'processing', 'queued']);
    await mock.must(200, 'POST', `/jobs/${b}/transition`, { body: { to: 'cancelled' } });
    assert.deepEqual(await statuses(), ['failed', 'cancelled', 'processing']);
    const { transitions } = await mock.must(200, 'GET', `/jobs/${c}`);
    assert.equal(transitions[1].cause, 'timer');
});

/* -- held jobs --------------------------------------------------------------------------------- */

test('a held job waits for its release, then for what is left of its time', async (t) => {
    const { mock, api, jobs: [a, b, c, d] } = await planned(t, [{ hold: 'queued' },
        { hold: 'queued', queued: 0, processing: 0 }, { hold: 'processing' }, {}]);
    const held = await mock.must(200, 'GET', `/jobs/${a}`);
    assert.equal(held.held, true);
    assert.equal(held.due_at, null);
    const released = await mock.must(200, 'POST', `/jobs/${a}/release`);
    assert.equal(released.held, false);
    assert.equal(released.due_at, at(60_000));
    assertProblem(await mock.send('POST', `/jobs/${a}/release`), 409, 'not_held',
        /^The job is queued and is not held$/);
    const over = await mock.must(200, 'POST', `/jobs/${b}/release`, { body: {} });
    assert.equal(over.status, 'completed', 'C1: what was due has happened when it returns');
    assert.deepEqual(transitionsOf(over),
        ['queued 0 request', 'processing 0 timer', 'completed 0 timer']);

    assertProblem(await mock.send('POST', `/jobs/${c}/release`), 409, 'not_held');
    const started = await mock.must(200, 'POST', `/jobs/${c}/transition`, { body: { to: 'processing' } });
    assert.equal(started.held, true, 'it is held in the state that the plan names');
    assert.equal((await mock.must(200, 'POST', `/jobs/${c}/release`)).due_at, at(300_000));
    await api.cancelJob(d);
    assertProblem(await mock.send('POST', `/jobs/${d}/release`), 409, 'not_held',
        /^The job is cancelled and is not held$/);
    assertProblem(await mock.send('POST', '/jobs/000000000000/release'), 404, 'job_not_found');
});

test('a held job is moved by a transition, and cancelled by its API', async (t) => {
    const { mock, api, jobs: [a, b] } = await planned(t, [{ hold: 'queued' }, { hold: 'queued' }]);
    const ended = await mock.must(200, 'POST', `/jobs/${a}/transition`, { body: { to: 'completed' } });
    assert.equal(ended.held, false);
    assert.equal((await api.cancelJob(b)).status, 200);
    const { held, transitions } = await mock.must(200, 'GET', `/jobs/${b}`);
    assert.equal(held, false);
    assert.equal(transitions[1].cause, 'request');
});

/* -- jobs that reads move ---------------------------------------------------------------------- */

const read = async (api, id, times) => {
    const seen = [];
    for (let i = 0; i < times; i++) seen.push((await api.readJob(id)).status);
    return seen;
};
const times = (count, status) => Array.from({ length: count }, () => status);

test('polls: so many reads show each state; each transition carries its due time', async (t) => {
    const { mock, api, jobs: [id, ahead, behind] } = await planned(t,
        [{ polls: { queued: 2, processing: 3 } }, { queued: 30_000, processing: 10_000 },
            { queued: 400_000 }]);
    assert.deepEqual(await read(api, id, 2), times(2, 'queued'));
    for (let i = 0; i < 3; i++) {
        assert.equal((await api.send('HEAD', `/scenario-studio/jobs/${id}`)).status, 200);
        const shown = await mock.must(200, 'GET', `/jobs/${id}`);
        assert.equal(shown.status, 'queued', 'neither a HEAD nor the control plane counts');
        assert.deepEqual(shown.polls, { queued: 2, processing: 3, seen: 2 });
        assert.equal(shown.due_at, null);
    }
    const third = await api.readJob(id);
    assert.equal(third.status, 'processing');
    assert.equal(third.started_at, '2024-03-01T10:01:00Z');
    assert.deepEqual(transitionsOf(await mock.must(200, 'GET', `/jobs/${ahead}`)),
        ['queued 0 request', 'processing 30000 timer', 'completed 40000 timer'],
        'the clock went there, and what was due until then has happened');
    assert.equal((await mock.must(200, 'GET', `/jobs/${behind}`)).status, 'queued');
    assert.deepEqual(await read(api, id, 3), ['processing', 'processing', 'completed']);
    assert.deepEqual(await read(api, id, 2), times(2, 'completed'));
    assert.deepEqual(transitionsOf(await mock.must(200, 'GET', `/jobs/${id}`)),
        ['queued 0 request', 'processing 60000 poll', 'completed 360000 poll']);
    const made = await api.newJob();
    assert.equal(made.created_at, '2024-03-01T10:06:00Z', 'the clock is where the last one ended');
});

test('polls in one state: the other goes by time; none: the first read shows the next', async (t) => {
    const { mock, api, jobs: [queued, processing, none, start, hold] } = await planned(t, [
        { polls: { queued: 1 } }, { polls: { processing: 1 } },
        { polls: { queued: 0, processing: 0 }, end: 'failed' }, { polls: { queued: 0, processing: 2 } },
        { polls: { queued: 0, processing: 0 }, hold: 'processing' }]);
    assert.deepEqual(await read(api, queued, 2), ['queued', 'processing']);
    assert.equal((await mock.must(200, 'GET', `/jobs/${queued}`)).due_at, at(360_000),
        'a timer runs from there');
    assert.deepEqual(await read(api, start, 3), ['processing', 'processing', 'completed']);
    assert.deepEqual(await read(api, none, 2), times(2, 'failed'));
    // Its timer had started it when the clock first went there.
    assert.deepEqual(await read(api, processing, 2), ['processing', 'completed']);
    assert.deepEqual(transitionsOf(await mock.must(200, 'GET', `/jobs/${processing}`)),
        ['queued 0 request', 'processing 60000 timer', 'completed 360000 poll']);
    assert.deepEqual(await read(api, hold, 3), times(3, 'processing'), 'a hold comes first');
    assert.equal((await mock.must(200, 'POST', `/jobs/${hold}/release`)).due_at, null);
    assert.deepEqual(await read(api, hold, 1), ['completed']);
});

test('polls: simultaneous reads count once each', async (t) => {
    const plans = [{ polls: { queued: 20, processing: 13 } }, { polls: { queued: 20, processing: 13 } }];
    const { api, jobs } = await planned(t, plans, { mode: 'real' });
    const seen = await inParallel(25, Array.from({ length: 100 }),
        async (_, index) => `${index % 2} ${(await api.readJob(jobs[index % 2])).status}`);
    const count = (status) => seen.filter((each) => each === status).length;
    for (const which of [0, 1])
        assert.deepEqual([count(`${which} queued`), count(`${which} processing`),
            count(`${which} completed`)], [20, 13, 17]);
});

test('polls: a real clock jumps too, and goes on from there', async (t) => {
    const { mock, api, jobs: [id] } = await planned(t, [{ polls: { queued: 0 }, processing: 200 }],
        { mode: 'real' });
    assert.equal((await api.readJob(id)).status, 'processing');
    const ended = await mock.must(200, 'GET', `/jobs/${id}?until=completed&wait=60s`);
    assert.deepEqual(transitionsOf(ended),
        ['queued 0 request', 'processing 60000 poll', 'completed 60200 timer']);
});
