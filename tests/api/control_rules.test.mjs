// Rules: what they match, which of them acts, how often, and what is wrong with bad ones.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { job, makeKey, scenarios, serve, studio, temporaryDirectory } from './client.mjs';
import { startServer } from '../support/server.mjs';
import { assertProblem, control } from './control.mjs';

const quick = ['--queue-time', '0ms', '--processing-time', '10ms'];
let server;
before(async () => { server = await startServer({ args: quick }); });
after(() => server.stop());

let made = 0;

/** A workspace of its own: its control plane, its Studio API, and its Scenarios API. */
async function workspace(body = {}, on = server) {
    made += 1;
    const { slug, api_key: key, id } = await control(on).make({ slug: `rules-${made}`,
        members: ['*@acme.com'], ...body });
    const prefix = `/w/${slug}`;
    const mock = control(on, { prefix });
    return {
        slug, id, key, mock,
        api: studio(on, { key }),
        projects: (project) => scenarios(on, { project, prefix }),
        page: (address) => studio(on, { key: null, prefix }).page(address),
        rule: (rule) => mock.must(201, 'POST', '/rules', { body: rule }),
        read: (rule, query = '') => mock.must(200, 'GET', `/rules/${rule.id}${query}`),
    };
}

const teapot = (text = 'short and stout') => ({ respond: { status: 418, body: { text } } });
const statusOf = async (answer) => (await answer).status;

test('a rule is shown as it was given, with what is counted', async () => {
    const { rule, read, mock } = await workspace();
    const given = { match: { email: 'Jane*@acme.com', operation: 'createScenarioJob' },
        do: { job: { end: 'failed' } }, times: 2, skip: 1, label: 'one' };
    const one = await rule(given);
    assert.match(one.id, /^[0-9a-f]{12}$/);
    assert.match(one.created_at, /^\d{4}-.*Z$/);
    assert.deepEqual(Object.keys(one), ['id', 'label', 'match', 'do', 'times', 'skip', 'uses_left',
        'hit_count', 'hits', 'created_at']);
    for (const name of Object.keys(given)) assert.deepEqual(one[name], given[name], name);
    assert.deepEqual([one.uses_left, one.hit_count, one.hits], [2, 0, []]);
    assert.deepEqual(await read(one), one);
    const two = await rule({ match: {} });
    assert.deepEqual([two.do, two.times, two.skip, two.uses_left, two.label],
        [null, null, 0, null, null]);
    const list = await mock.must(200, 'GET', '/rules');
    assert.deepEqual(list.items, [one, two]);
    assert.deepEqual((await mock.must(200, 'GET', '/rules?label=one')).items, [one]);
    const first = await mock.must(200, 'GET', '/rules?limit=1');
    assert.deepEqual(first.items, [one]);
    assert.deepEqual((await mock.must(200, 'GET', `/rules?since=${first.cursor}`)).items, [two]);
    assert.deepEqual((await mock.must(200, 'GET', `/rules?since=${list.cursor}`)).items, []);
});

test('an array is made whole or not at all', async () => {
    const { rule, mock } = await workspace();
    const rules = await rule([{ match: {}, label: 'a' }, { match: {}, label: 'b' }]);
    assert.deepEqual(rules.map(({ label }) => label), ['a', 'b']);
    assert.deepEqual(await rule([]), []);
    const bad = await mock.send('POST', '/rules', { body: [{ match: {} }, { match: {} },
        { match: {}, do: { delay: '3' } }] });
    assertProblem(bad, 422, 'invalid_field', /^\[2\]\.do\.delay must be a duration/, /has no unit/);
    assert.equal((await mock.must(200, 'GET', '/rules')).items.length, 2);
});

test('DELETE of one, and of all of a label', async () => {
    const { rule, mock, api } = await workspace();
    const [one] = await rule([{ match: {}, do: teapot(), label: 'x' },
        { match: {}, do: teapot(), label: 'x' }, { match: {}, label: 'y' }]);
    assert.equal(await statusOf(api.getJob('none')), 418);
    assert.equal(await statusOf(mock.send('DELETE', `/rules/${one.id}`)), 204);
    assertProblem(await mock.send('DELETE', `/rules/${one.id}`), 404, 'rule_not_found');
    assertProblem(await mock.send('GET', `/rules/${one.id}`), 404, 'rule_not_found');
    assert.equal(await statusOf(api.getJob('none')), 418);
    assert.deepEqual(await mock.must(200, 'DELETE', '/rules?label=x'), { deleted: 1 });
    assert.equal(await statusOf(api.getJob('none')), 404);
    assert.deepEqual(await mock.must(200, 'DELETE', '/rules?label=x'), { deleted: 0 });
    assertProblem(await mock.send('DELETE', '/rules'), 422, 'missing_parameter', /label/);
    assertProblem(await mock.send('DELETE', '/rules?labl=x'), 422, 'unknown_parameter', /labl/,
        /did you mean "label"/);
});

test('match: every field, of a job that is made', async () => {
    const { rule, api, mock } = await workspace();
    await mock.must(201, 'POST', '/scenarios', { body: { name: 'Source', slug: 'source' } });
    const fields = { user_email: 'Jane@ACME.com', prompt: 'Négocier 3 contracts', request_id: 'r-1',
        scenario_slug: 'source', context: 'c', extra: { list: [{ a: 1, b: 2 }], n: 1 } };
    const headers = { 'X-Test': 'seven' };
    const cases = [
        [{}, true],
        [{ operation: 'createScenarioJob' }, true], [{ operation: 'getScenarioJob' }, false],
        [{ email: 'jane@acme.com' }, true], [{ email: 'J*@acme.com' }, true],
        [{ email: '*@globex.com' }, false], [{ email: 'jane' }, false],
        [{ prompt: '3 contr' }, true], [{ prompt: '3 Contr' }, false],
        [{ prompt: { regex: '^N.gocier [0-9]+ (contracts|x)$' } }, true],
        [{ prompt: { regex: 'ocier$' } }, false],
        [{ request_id: 'r-1' }, true], [{ request_id: 'r-' }, false],
        [{ scenario_slug: 'source' }, true], [{ scenario_slug: 'other' }, false],
        [{ header: { 'x-test': 'seven' } }, true], [{ header: { 'X-TEST': null } }, true],
        [{ header: { 'x-test': 'seve' } }, false], [{ header: { 'x-none': null } }, false],
        [{ body: { context: 'c' } }, true], [{ body: { context: 'd' } }, false],
        [{ body: { extra: { n: 1.0 } } }, true], [{ body: { extra: { n: 2 } } }, false],
        [{ body: { extra: { list: [{ b: 2 }] } } }, true], [{ body: { extra: { list: [] } } }, false],
        [{ body: { none: null } }, false],
        [{ project: 'default' }, false], [{ job: '0123456789ab' }, false],
        [{ email: 'jane@acme.com', prompt: '3', request_id: 'r-1', operation: 'createScenarioJob' }, true],
        [{ email: 'jane@acme.com', prompt: '4' }, false],
    ];
    const rules = await rule(cases.map(([match]) => ({ match })));
    const answer = await api.createJob(fields, { headers });
    assert.equal(answer.status, 201, answer.text);
    const now = (await mock.must(200, 'GET', '/rules')).items;
    cases.forEach(([match, hit], i) => {
        assert.equal(now[i].id, rules[i].id);
        assert.equal(now[i].hit_count, hit ? 1 : 0, JSON.stringify(match));
        if (hit) assert.equal(now[i].hits[0].job, answer.body.id);
    });
});

test('match: a request about a job has what the job was made with', async () => {
    const { rule, api, mock } = await workspace();
    const ours = { user_email: 'ann@acme.com', prompt: 'ours', request_id: 'o-1', context: 'c',
        callback_url: 'http://127.0.0.1:9/', callback_headers: { 'X-A': 'b' } };
    const { id } = await api.newJob(ours);
    const other = await api.newJob({ prompt: 'other' });
    const matches = [{ email: 'ann@*' }, { prompt: 'our' }, { request_id: 'o-1' }, { job: id },
        { body: { context: 'c', callback_headers: { 'X-A': 'b' } } }, { prompt: { regex: '^ours$' } }];
    for (const match of matches)
        for (const method of ['getJob', 'cancelJob']) {
            const { id: own } = await rule({ match, do: teapot() });
            assert.equal(await statusOf(api[method](id)), 418, JSON.stringify(match));
            assert.notEqual(await statusOf(api.getJob(other.id)), 418, JSON.stringify(match));
            assert.equal(await statusOf(api.getJob('nobody')), 404);
            const shown = await mock.must(200, 'GET', `/rules/${own}`);
            assert.deepEqual(shown.hits.map((hit) => hit.job), [id]);
            await mock.send('DELETE', `/rules/${own}`);
        }
});

test('match: sessions, their pages and the job that a page starts', async () => {
    const { rule, api, page, mock } = await workspace();
    const session = await api.createSession({ user_email: 'sue@acme.com', prompt: 'Talk' });
    assert.equal(session.status, 200);
    const address = `/chat/${session.body.id}`;
    const watch = await rule({ match: { operation: 'openChat', email: 'sue@acme.com' } });
    const fails = await rule({ match: { prompt: 'Talk' }, do: { job: { end: 'failed' } } });
    assert.equal(await statusOf(page(address)), 200);
    const [hit] = (await mock.must(200, 'GET', `/rules/${watch.id}`)).hits;
    assert.match(hit.job, /^[0-9a-f]{12}$/);
    assert.deepEqual((await mock.must(200, 'GET', `/rules/${fails.id}`)).hits.map((h) => h.job),
        [hit.job]);
    assert.equal((await api.jobEnd(hit.job)).status, 'failed');
    await rule({ match: { job: hit.job, operation: 'openChat' }, do: teapot() });
    assert.equal(await statusOf(page(address)), 418);
});

test('match: projects and pages', async () => {
    const { rule, projects, page } = await workspace();
    await rule([{ match: { project: 'shop' }, do: teapot() },
        { match: { operation: 'createScenario', body: { name: 'n' } }, do: teapot() },
        { match: { operation: 'showScenario', scenario_slug: 'abc' }, do: teapot() }]);
    assert.equal(await statusOf(projects('shop').list()), 418);
    assert.equal(await statusOf(projects('other').list()), 200);
    assert.equal(await statusOf(projects('other').create({ name: 'n' })), 418);
    assert.equal(await statusOf(projects('other').create({ name: 'm' })), 201);
    assert.equal(await statusOf(page('/scenarios/abc')), 418);
    assert.equal(await statusOf(page('/scenarios/abd')), 404);
});

test('S1, S3: rules come after authentication; HEAD uses up nothing (H3)', async () => {
    const { rule, read, api } = await workspace();
    const one = await rule({ match: {}, do: teapot(), times: 1 });
    assert.equal(await statusOf(studio(server, { key: makeKey('x') }).getJob('a')), 401);
    assert.equal(await statusOf(api.send('HEAD', '/scenario-studio/jobs/a')), 404);
    assert.equal((await read(one)).uses_left, 1);
    assert.equal(await statusOf(api.getJob('a')), 418);
});

test('rules with times come first, oldest first; then those without, newest first', async () => {
    const { rule, api } = await workspace();
    await rule([{ match: {}, do: teapot('old override') }, { match: {}, do: teapot('first'), times: 2 },
        { match: {}, do: teapot('second'), times: 1 }, { match: {}, do: teapot('new override') }]);
    const seen = [];
    for (let i = 0; i < 5; i += 1) seen.push((await api.getJob('none')).body.text);
    assert.deepEqual(seen, ['first', 'first', 'second', 'new override', 'new override']);
});

test('skip lets the first matches pass, to whom comes next', async () => {
    const { rule, api, read } = await workspace();
    const rules = await rule([{ match: {}, do: teapot('skips'), skip: 2, times: 1 },
        { match: {}, do: teapot('below') }, { match: {}, do: teapot('skips once'), skip: 1 },
        { match: {}, skip: 3 }]);
    const seen = [];
    for (let i = 0; i < 5; i += 1) seen.push((await api.getJob('none')).body.text);
    assert.deepEqual(seen, ['below', 'skips once', 'skips', 'skips once', 'skips once']);
    assert.deepEqual(await Promise.all(rules.map(async (one) => (await read(one)).hit_count)),
        [1, 1, 3, 2]);
});

test('one of each kind acts; watching rules take nobody\'s place', async () => {
    const { rule, api, read } = await workspace();
    const [watch, fail, late] = await rule([{ match: {} }, { match: {}, do: { job: { end: 'failed',
        error: { code: 'TOO_ODD', message: 'Too odd' } } } }, { match: { operation: 'createScenarioJob' },
        do: { delay: '1ms' } }]);
    const job1 = await api.newJob();
    const ended = await api.jobEnd(job1.id);
    assert.deepEqual(ended.error, { code: 'TOO_ODD', message: 'Too odd' });
    for (const one of [fail, late]) {
        const { hits } = await read(one);
        assert.equal(hits.length, 1);
        assert.deepEqual([hits[0].job, hits[0].request], [job1.id, 1]);
        assert.match(hits[0].at, /Z$/);
    }
    assert.equal((await read(watch)).hits[0].job, job1.id);
});

test('times is exact under 64 requests at once', async () => {
    const { rule, api, read } = await workspace();
    const one = await rule({ match: { operation: 'getScenarioJob' }, do: teapot(), times: 20, skip: 7 });
    const of = await rule({ match: { operation: 'createScenarioJob' }, do: { job: { end: 'failed' } },
        times: 5 });
    const answers = await Promise.all(Array.from({ length: 64 }, () => api.getJob('none')));
    assert.equal(answers.filter(({ status }) => status === 418).length, 20);
    assert.equal(answers.filter(({ status }) => status === 404).length, 44);
    const shown = await read(one);
    assert.deepEqual([shown.uses_left, shown.hit_count], [0, 20]);
    const jobs = await Promise.all(Array.from({ length: 64 }, () => api.newJob()));
    const ends = await Promise.all(jobs.map(({ id }) => api.jobEnd(id)));
    assert.equal(ends.filter(({ status }) => status === 'failed').length, 5);
    assert.equal((await read(of)).hit_count, 5);
});

test('S12: a deduplicated POST uses up no job rule, nor does one that is refused', async () => {
    const { rule, api, read } = await workspace();
    const known = await api.newJob({ request_id: 'k' });
    const one = await rule({ match: {}, do: { job: { end: 'failed' } }, times: 1, skip: 1 });
    assert.equal(await statusOf(api.createJob(job({ request_id: 'k' }))), 200);
    assert.equal(await statusOf(api.createJob(job({ user_email: 'a@nobody.com' }))), 400);
    assert.equal(await statusOf(api.createJob(job({ scenario_slug: 'none' }))), 404);
    assert.equal(await statusOf(api.createJob({})), 400);
    const shown = await read(one);
    assert.deepEqual([shown.uses_left, shown.hit_count], [1, 0]);
    assert.equal((await api.jobEnd((await api.newJob()).id)).status, 'completed'); // the skipped one
    assert.equal((await api.jobEnd((await api.newJob()).id)).status, 'failed');
    assert.equal((await api.jobEnd(known.id)).status, 'completed');
});

test('job: end, error, scenario, times, hold and polls; above the line, above the tag', async () => {
    const { rule, api, mock } = await workspace();
    const made = new Map();
    const make = async (what, fields) => {
        const one = await rule({ match: {}, do: { job: what }, times: 1 });
        const { id } = await api.newJob(fields);
        assert.equal((await mock.must(200, 'GET', `/rules/${one.id}`)).hits[0].job, id);
        made.set(id, one.id);
        return id;
    };
    const done = await api.jobEnd(await make({ scenario: { name: 'My Name', slug: 'my-slug' },
        end: 'completed' }));
    assert.deepEqual([done.scenario.name, done.scenario.slug], ['My Name', 'my-slug']);
    const timed = await api.jobEnd(await make({ queued: '20ms', processing: '250ms' }));
    assert.equal(timed.duration_seconds, 0.25);
    const held = await make({ hold_at: 'queued' });
    const other = await api.jobEnd((await api.newJob()).id);
    assert.equal(other.status, 'completed');
    assert.equal((await api.readJob(held)).status, 'queued');
    const polled = await make({ polls: { queued: 2, processing: 3 } });
    const seen = [];
    for (let i = 0; i < 6; i += 1) seen.push((await api.readJob(polled)).status);
    assert.deepEqual(seen, ['queued', 'queued', 'processing', 'processing', 'processing', 'completed']);
    const lined = await api.jobEnd(await make({ error: { code: 'BY_RULE' } },
        { user_email: 'jane+policy@acme.com', prompt: 'p\n#mock error=BY_LINE processing=120ms' }));
    assert.deepEqual([lined.error.code, lined.duration_seconds], ['BY_RULE', 0.12]);
    for (const [id, ruled] of made)
        assert.equal((await mock.must(200, 'GET', `/jobs/${id}`)).rule, ruled);
});

test('respond: any JSON, texts by their type, headers', async () => {
    const { rule, api } = await workspace();
    const once = async (respond) => {
        await rule({ match: {}, do: { respond }, times: 1 });
        return api.getJob('none');
    };
    for (const body of [null, false, 7, 0.1, 'text', [1], { a: [{}] }]) {
        const answer = await once({ status: 503, body });
        assert.deepEqual([answer.status, answer.text], [503, JSON.stringify(body)]);
        assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    }
    const html = await once({ status: 502, body: '<h1>Bad</h1>', headers: {
        'Content-Type': 'text/html', 'X-Two': '2' } });
    assert.deepEqual([html.text, html.headers['content-type'], html.headers['x-two']],
        ['<h1>Bad</h1>', 'text/html', '2']);
    const empty = await once({ status: 204 });
    assert.deepEqual([empty.status, empty.text, empty.headers['content-type']], [204, '', undefined]);
    const limited = await once('429');
    assert.deepEqual([limited.status, limited.body.error.type], [429, 'rate_limited']);
    await rule({ match: {}, do: { respond: 'getScenarioJob:429', retry_after: 7 }, times: 1 });
    assert.equal((await api.getJob('none')).headers['retry-after'], '7');
    await rule({ match: {}, do: { respond: '429', retry_after: '30s' }, times: 1 });
    assert.equal((await api.getJob('none')).headers['retry-after'], '30');
});

test('after_commit: the answer is lost, the job is there, and the rule says which it is', async () => {
    const { rule, api, read } = await workspace();
    const lost = await rule({ match: { operation: 'createScenarioJob' }, times: 1,
        do: { respond: { status: 504 }, when: 'after_commit' } });
    assert.equal(await statusOf(api.createJob(job({ request_id: 'once' }))), 504);
    const { hits } = await read(lost, '?min=1&wait=5s');
    const again = await api.createJob(job({ request_id: 'once' }));
    assert.deepEqual([again.status, again.body.id], [200, hits[0].job]);
    await rule({ match: {}, do: { drop: 'after_commit' }, times: 1 });
    await assert.rejects(api.createJob(job({ request_id: 'two' })), /ECONNRESET|socket hang up/);
    assert.equal(await statusOf(api.createJob(job({ request_id: 'two' }))), 200);
    await rule({ match: {}, do: { drop: 'before' }, times: 1 });
    await assert.rejects(api.createJob(job({ request_id: 'three' })), /ECONNRESET|socket hang up/);
    assert.equal(await statusOf(api.createJob(job({ request_id: 'three' }))), 201);
});

test('S17, S22: transition moves the job first: the cancel that loses', async () => {
    const { rule, api, mock } = await workspace({ settings: { processing_time: '1h' } });
    const { id } = await api.newJob();
    await rule({ match: { operation: 'cancelScenarioJob' }, times: 1,
        do: { transition: { to: 'completed', scenario: { name: 'Won' } } } });
    const lost = await api.cancelJob(id);
    assert.deepEqual([lost.status, lost.body.error.code], [400, 'job_not_cancellable']);
    const now = await api.readJob(id);
    assert.deepEqual([now.status, now.scenario.name], ['completed', 'Won']);
    const told = await mock.must(200, 'GET', `/jobs/${id}`);
    assert.equal(told.transitions.at(-1).cause, 'rule');
    // What is not allowed any more changes nothing, and uses nothing up.
    await rule({ match: { operation: 'getScenarioJob' }, times: 1,
        do: { transition: { to: 'failed', error: { code: 'X' } } } });
    assert.equal((await api.readJob(id)).status, 'completed');
    const other = await api.newJob();
    assert.equal((await api.readJob(other.id)).error.code, 'X');
});

test('C9: GET of a rule waits for its hits', async () => {
    const { rule, api, mock } = await workspace();
    const watch = await rule({ match: { operation: 'createScenarioJob' } });
    const waiting = mock.must(200, 'GET', `/rules/${watch.id}?min=2&wait=60s`);
    const first = await api.newJob();
    const second = await api.newJob();
    assert.deepEqual((await waiting).hits.map((hit) => hit.job), [first.id, second.id]);
    assertProblem(await mock.send('GET', `/rules/${watch.id}?min=3`), 409, 'not_so', /2 of the 3/);
    assertProblem(await mock.send('GET', `/rules/${watch.id}?min=3&wait=1ms`), 409, 'wait_expired');
    const spent = await rule({ match: {}, do: teapot(), times: 1 });
    assert.equal(await statusOf(api.getJob('x')), 418);
    assertProblem(await mock.send('GET', `/rules/${spent.id}?min=2&wait=60s`), 409,
        'wait_impossible', /used up/);
    assertProblem(await mock.send('GET', `/rules/${watch.id}?min=0`), 422, 'invalid_parameter');
});

test('the last 1,000 hits are kept, all are counted', async () => {
    const { rule, api, read } = await workspace();
    const watch = await rule({ match: {} });
    for (let i = 0; i < 11; i += 1)
        await Promise.all(Array.from({ length: 92 }, () => api.getJob('none')));
    const { hits, hit_count: count } = await read(watch);
    assert.deepEqual([count, hits.length], [1012, 1000]);
    const numbers = hits.map(({ request }) => request).sort((a, b) => a - b);
    assert.equal(new Set(numbers).size, 1000);
    assert.ok(numbers[0] >= 1 && numbers.at(-1) === 1012);
});

test('two workspaces: neither sees the other\'s rules', async () => {
    const one = await workspace();
    const two = await workspace();
    const own = await one.rule({ match: {}, do: teapot() });
    assert.equal(await statusOf(one.api.getJob('none')), 418);
    assert.equal(await statusOf(two.api.getJob('none')), 404);
    assertProblem(await two.mock.send('GET', `/rules/${own.id}`), 404, 'rule_not_found');
    assertProblem(await two.mock.send('DELETE', `/rules/${own.id}`), 404, 'rule_not_found');
});

test('workspaces are made with rules, and tell at their end which were not used', async () => {
    const { api, mock, slug } = await workspace({ rules: [{ match: {}, do: teapot(), times: 1 },
        { match: { operation: 'getScenarioJob' } }, { match: { job: 'never' } }] });
    assert.equal((await mock.must(200, 'GET', '/rules')).items.length, 3);
    assert.equal(await statusOf(api.getJob('none')), 418);
    const told = await control(server).remove(slug);
    assert.deepEqual(told, { requests: 1, unused_rules: 1, unfinished_jobs: 0, failed_deliveries: 0 });
    const bad = await control(server).send('POST', '/workspaces', { body: { slug: 'never',
        rules: [{ match: { operation: 'createScenarioJobs' } }] } });
    assertProblem(bad, 422, 'invalid_field', /^rules\[0\]\.match\.operation must be an operationId/,
        /did you mean "createScenarioJob"/);
    assert.equal(await statusOf(control(server).send('GET', '/workspaces/never')), 404);
});

test('uses and skips survive kill -9; a spent rule stays spent', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    const first = await startServer({ db, args: quick });
    t.after(() => first.kill());
    const { rule, api, slug, key } = await workspace({}, first);
    const made1 = await rule([{ match: { operation: 'getScenarioJob' }, do: teapot(), times: 3, skip: 2 },
        { match: { operation: 'createScenarioJob' }, do: { job: { end: 'failed' } }, times: 1 }]);
    for (const wanted of [404, 404, 418, 418, 418])
        assert.equal(await statusOf(api.getJob('none')), wanted);
    const { id: failing } = await api.newJob();
    await first.kill('SIGKILL');
    const second = await serve(t, { db, args: quick });
    const mock = control(second, { prefix: `/w/${slug}` });
    const again = studio(second, { key });
    const [one, two] = (await mock.must(200, 'GET', '/rules')).items;
    assert.deepEqual([one.id, one.uses_left, two.uses_left, two.hit_count],
        [made1[0].id, 0, 0, 1]);
    assert.deepEqual(one.do, made1[0].do);
    assert.equal(await statusOf(again.getJob('none')), 404);
    assert.equal((await again.jobEnd(failing)).status, 'failed');
    assert.equal((await again.jobEnd((await again.newJob()).id)).status, 'completed');
});

test('C2: each bad rule, in words that name the field', async () => {
    const { mock } = await workspace();
    const match = {};
    const bad = [
        [{}, 'missing_field', /^match is required$/],
        [{ match: [] }, 'invalid_field', /^match must be an object/],
        [{ match, tiems: 1 }, 'unknown_field', /"tiems"/, /did you mean "times"/],
        [{ match, times: 0 }, 'invalid_field', /^times must be a whole number from 1/],
        [{ match, times: '1' }, 'invalid_field', /^times must be/],
        [{ match, times: 1.5 }, 'invalid_field', /^times must be/],
        [{ match, skip: -1 }, 'invalid_field', /^skip must be a whole number from 0/],
        [{ match, label: '' }, 'invalid_field', /^label must be/],
        [{ match: { emial: 'a' } }, 'unknown_field', /match\."emial"/, /did you mean "email"/],
        [{ match: { operation: 'zzz' } }, 'invalid_field', /^match\.operation must be/, /known here: /],
        [{ match: { email: '' } }, 'invalid_field', /^match\.email must be/],
        [{ match: { prompt: 1 } }, 'invalid_field', /^match\.prompt must be/],
        [{ match: { prompt: { regexp: 'a' } } }, 'unknown_field', /match\.prompt\."regexp"/, /"regex"/],
        [{ match: { prompt: { regex: '(' } } }, 'invalid_field', /^match\.prompt\.regex must be .*: Unmatched \( /],
        [{ match: { prompt: { regex: 'a)(b' } } }, 'invalid_field', /^match\.prompt\.regex must be /],
        [{ match: { prompt: { regex: '(a)\\1' } } }, 'invalid_field', /back references/],
        [{ match: { prompt: { regex: '(a{99}){99}' } } }, 'invalid_field', /written out/],
        [{ match: { prompt: { regex: 'a'.repeat(257) } } }, 'invalid_field', /more than 256 bytes/],
        [{ match: { header: { 'a b': 'x' } } }, 'invalid_field', /^match\.header must be/],
        [{ match: { header: { a: 1 } } }, 'invalid_field', /^match\.header must be/],
        [{ match: { body: [] } }, 'invalid_field', /^match\.body must be an object/],
        [{ match, do: {} }, 'invalid_field', /^do must have exactly one of job, webhook, respond/],
        [{ match, do: { delay: '1s', hang: '1s' } }, 'invalid_field', /^do must have exactly one/],
        [{ match, do: { console: {} } }, 'unknown_field', /do\."console"/],
        [{ match, do: { dleay: '1s' } }, 'unknown_field', /do\."dleay"/, /"delay"/],
        [{ match, do: { delay: 3 } }, 'invalid_field', /^do\.delay must be/],
        [{ match, do: { delay: '3 s' } }, 'invalid_field', /^do\.delay must be/],
        [{ match, do: { delay: '25h' } }, 'invalid_field', /^do\.delay must be .*24 hours/],
        [{ match, do: { hang: '60' } }, 'invalid_field', /^do\.hang must be/, /has no unit/],
        [{ match, do: { drop: 'after' } }, 'invalid_field', /^do\.drop must be/, /after_commit/],
        [{ match, do: { truncate: -1 } }, 'invalid_field', /^do\.truncate must be/],
        [{ match, do: { truncate: '40' } }, 'invalid_field', /^do\.truncate must be/],
        [{ match, do: { drip: '10' } }, 'invalid_field', /^do\.drip must be bytes a second/],
        [{ match, do: { drip: '10/s' } }, 'invalid_field', /^do\.drip must be/],
        [{ match, do: { drip: '0B/s' } }, 'invalid_field', /^do\.drip must be/],
        [{ match, do: { drip: '10kB/s' } }, 'invalid_field', /^do\.drip must be/],
        [{ match, do: { garbage: false } }, 'invalid_field', /^do\.garbage must be true/],
        [{ match, do: { delay: '1s', when: 'after' } }, 'invalid_field', /^do\.when must be/],
        [{ match, do: { drop: 'before', when: 'after_commit' } }, 'invalid_field', /^do\.when cannot go/],
        [{ match, do: { job: {}, when: 'after_commit' } }, 'invalid_field', /^do\.when goes with/],
        [{ match, do: { transition: { to: 'failed' }, when: 'after_commit' } }, 'invalid_field', /^do\.when/],
        [{ match, do: { delay: '1s', retry_after: 1 } }, 'invalid_field', /^do\.retry_after goes with/],
        [{ match, do: { respond: '429', retry_after: '1ms' } }, 'invalid_field', /^do\.retry_after must be/],
        [{ match, do: { respond: 418 } }, 'invalid_field', /^do\.respond must be/],
        [{ match, do: { respond: '400:user_not_fuond' } }, 'invalid_field', /^do\.respond must be an outcome/, /user_not_found/],
        [{ match: { operation: 'getScenarioJob' }, do: { respond: '400:user_not_found' } }, 'invalid_field', /^do\.respond must be an outcome/],
        [{ match, do: { respond: {} } }, 'missing_field', /^do\.respond\.status is required/],
        [{ match, do: { respond: { status: 199 } } }, 'invalid_field', /^do\.respond\.status must be/],
        [{ match, do: { respond: { status: 600 } } }, 'invalid_field', /^do\.respond\.status must be/],
        [{ match, do: { respond: { status: 204, body: 1 } } }, 'invalid_field', /^do\.respond\.body cannot/],
        [{ match, do: { respond: { status: 200, headers: { Date: 'x' } } } }, 'invalid_field', /^do\.respond\.headers/],
        [{ match, do: { respond: { status: 200, headers: { A: 'x\r\ny' } } } }, 'invalid_field', /^do\.respond\.headers/],
        [{ match, do: { respond: { status: 200, headers: { A: 1 } } } }, 'invalid_field', /^do\.respond\.headers/],
        [{ match, do: { respond: { staus: 200 } } }, 'unknown_field', /do\.respond\."staus"/, /"status"/],
        [{ match, do: { job: { queued: '5' } } }, 'invalid_field', /^do\.job\.queued must be a duration/, /has no unit/],
        [{ match, do: { job: { qeued: '5s' } } }, 'unknown_field', /do\.job\."qeued"/, /"queued"/],
        [{ match, do: { job: { end: 'faield' } } }, 'invalid_field', /^do\.job\.end must be/, /"failed"/],
        [{ match, do: { job: { end: 'completed', error: { code: 'X' } } } }, 'invalid_field', /^do\.job\.error goes with/],
        [{ match, do: { job: { end: 'failed', scenario: { name: 'X' } } } }, 'invalid_field', /^do\.job\.scenario goes with/],
        [{ match, do: { job: { error: {} } } }, 'invalid_field', /^do\.job\.error must be/],
        [{ match, do: { job: { error: { code: '' } } } }, 'invalid_field', /^do\.job\.error\.code must be/],
        [{ match, do: { job: { scenario: { slug: 'A B' } } } }, 'invalid_field', /^do\.job\.scenario\.slug must be/],
        [{ match, do: { job: { polls: {} } } }, 'invalid_field', /^do\.job\.polls must be/],
        [{ match, do: { job: { polls: { queued: -1 } } } }, 'invalid_field', /^do\.job\.polls\.queued must be/],
        [{ match, do: { job: { hold_at: 'quued' } } }, 'invalid_field', /^do\.job\.hold_at must be/, /"queued"/],
        [{ match, do: { job: { hold_at: 'queued', polls: { queued: 1 } } } }, 'invalid_field', /^do\.job\.hold_at and polls/],
        [{ match, do: { transition: {} } }, 'missing_field', /^do\.transition\.to is required/],
        [{ match, do: { transition: { to: 'queued' } } }, 'invalid_field', /^do\.transition\.to must be/],
        [{ match, do: { transition: { to: 'completed', error: { code: 'X' } } } }, 'invalid_field', /^do\.transition\.error goes/],
        [{ match: { request_id: 'x'.repeat(70_000) } }, 'invalid_field', /at most 65536 bytes/],
    ];
    for (const [body, name, detail, hint] of bad) {
        const answer = await mock.send('POST', '/rules', { body });
        assert.equal(answer.status, 422, `${JSON.stringify(body)}: ${answer.text}`);
        assertProblem(answer, 422, name, detail, hint);
    }
    assertProblem(await mock.send('POST', '/rules', { body: '7' }), 422, 'invalid_body');
    assertProblem(await mock.send('POST', '/rules', { body: '{' }), 400, 'invalid_json');
    assertProblem(await mock.send('POST', '/rules'), 422, 'invalid_body');
    assertProblem(await mock.send('POST', '/rules', { body: [7] }), 422, 'invalid_field', /^\[0\] must be an object/);
    assert.deepEqual((await mock.must(200, 'GET', '/rules')).items, []);
});

test('a workspace has at most 10,000 rules', async () => {
    const { mock } = await workspace();
    const many = Array.from({ length: 10_000 }, () => ({ match: { job: 'x' } }));
    assertProblem(await mock.send('POST', '/rules', { body: [...many, many[0]] }), 422, 'too_many_rules');
    assert.equal((await mock.send('POST', '/rules', { body: many })).status, 201);
    assertProblem(await mock.send('POST', '/rules', { body: many[0] }), 422, 'too_many_rules');
});
