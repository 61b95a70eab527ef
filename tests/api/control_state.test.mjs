// A workspace written down and put back: C1, C2, H7, S2, S20, S22 as a state shows them.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { inParallel, job as jobBody, makeKey, request, serve, temporaryDirectory } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { clients, everything, seen, workspace } from './stateful.mjs';

const START = Date.UTC(2024, 2, 1, 10);
const MODES = ['manual', 'auto', 'real', { mode: 'scaled', scale: 60 }];

let server;
before(async () => { server = await startServer({ args: ['--durability', 'process'] }); });
after(() => server.stop());

const unhit = (rules) => rules.map(({ hits, hit_count: count, ...rule }) => rule);

describe('put back where it came from', () => {
    for (const mode of MODES) {
        for (const seed of ['a "seed"', undefined]) {
            const name = `${mode.mode ?? mode}, ${seed ? 'seeded' : 'with no seed'}`;
            test(`C1: a PUT of a GET changes nothing (${name})`, async () => {
                const own = await everything(server, { clock: mode, seed });
                const before_ = await seen(own);
                const rules = (await own.mock.must(200, 'GET', '/rules')).items;
                const text = await own.text();
                const answer = await own.put(text);
                assert.equal(answer.status, 200, answer.text);
                assert.equal(await own.text(), text);
                assert.equal(answer.text, await own.text(false), 'it answers the new state');
                assert.deepEqual(unhit((await own.mock.must(200, 'GET', '/rules')).items),
                    unhit(rules));
                const after_ = await seen(own);
                assert.deepEqual(after_, before_);
                assert.equal((await own.api.createJob(jobBody({ request_id: 'r-2' }))).body.is_new,
                    false);
            });
        }
    }

    test('a clock of its own that nobody set begins where it stood', async () => {
        for (const clock of ['manual', 'auto', { mode: 'scaled', scale: 0.001 }]) {
            const own = await workspace(server, { clock });
            const now = async () => (await own.mock.must(200, 'GET', '/clock')).now;
            const stood = await now();
            const { clock: written } = await own.state();
            assert.ok(written.now, JSON.stringify(written));
            assert.equal((await own.put(await own.state())).status, 200);
            assert.ok(Math.abs(Date.parse(await now()) - Date.parse(stood)) < 1000);
            if (typeof clock === 'string') assert.equal(await now(), stood);
        }
    });

    test('S20: timers of a running clock fire at their times all the same', async () => {
        const own = await workspace(server, { settings: { queue_time: '400ms',
            processing_time: '300ms' } });
        const { id } = await own.api.newJob();
        assert.equal((await own.put(await own.state())).status, 200);
        await own.api.jobEnd(id);
        const { transitions } = await own.mock.must(200, 'GET', `/jobs/${id}`);
        const times = transitions.map(({ at }) => Date.parse(at));
        assert.deepEqual(times.map((at) => at - times[0]), [0, 400, 700]);
    });

    test('S20: timers of a standing clock, plans and reads go on from where they were', async () => {
        const own = await workspace(server, { clock: 'manual', seed: 7,
            settings: { queue_time: '10s', processing_time: '20s' } });
        const plain = await own.api.newJob();
        const polled = await own.api.newJob({ prompt: 'p\n#mock polls_queued=2 polls_processing=1' });
        const held = await own.api.newJob({ prompt: 'p\n#mock hold=processing end=failed' });
        assert.equal((await own.api.readJob(polled.id)).status, 'queued');
        assert.equal((await own.put(await own.state())).status, 200);
        await own.advance({ by: '1h' });
        const ofPlain = await own.api.readJob(plain.id);
        assert.deepEqual([ofPlain.status, ofPlain.completed_at],
            ['completed', '2024-03-01T10:00:30Z']);
        assert.equal((await own.api.readJob(held.id)).status, 'processing');
        await own.mock.must(200, 'POST', `/jobs/${held.id}/release`, { body: {} });
        assert.equal((await own.api.readJob(held.id)).status, 'failed');
        const shown = [];
        for (let i = 0; i < 3; i++) shown.push((await own.api.readJob(polled.id)).status);
        assert.deepEqual(shown, ['queued', 'processing', 'completed']);
    });

    test('an older state takes back what was made since, and ends waits with 409', async () => {
        const own = await workspace(server, { clock: 'manual' });
        const kept = await own.api.newJob({ request_id: 'kept' });
        const older = await own.state();
        const gone = await own.api.newJob({ request_id: 'gone' });
        await own.mock.must(201, 'POST', '/rules', { body: { match: {}, do: { respond: '429' } } });
        await own.mock.must(200, 'PATCH', '/settings', { body: { queue_time: '7s' } });
        const waiting = own.mock.send('GET', `/jobs/${kept.id}?until=terminal&wait=60s`);
        await own.mock.must(200, 'GET', '/clock'); // two connections: it may not wait yet
        assert.equal((await own.put(older)).status, 200);
        const ended = await waiting;
        assert.equal(ended.status, 409, ended.text);
        assert.equal((await own.api.getJob(gone.id)).status, 404);
        assert.equal((await own.api.readJob(kept.id)).status, 'queued');
        assert.equal((await own.mock.must(200, 'GET', '/settings')).queue_time, '1h');
        assert.equal((await own.api.createJob(jobBody({ request_id: 'gone' }))).status, 201);
    });

    test('lists go on from their cursors', async () => {
        const own = await workspace(server, { seed: -7 });
        for (let i = 0; i < 3; i++) await own.api.newJob();
        const { items, cursor } = await own.mock.must(200, 'GET', '/jobs');
        const text = await own.text();
        await own.api.newJob();
        assert.equal((await own.put(text)).status, 200);
        const next = await own.api.newJob();
        const later = await own.mock.must(200, 'GET', `/jobs?since=${cursor}`);
        assert.deepEqual(later.items.map(({ id }) => id), [next.id]);
        const all = await own.mock.must(200, 'GET', '/jobs');
        assert.deepEqual(all.items.slice(0, 3).map(({ id }) => id), items.map(({ id }) => id));
    });

    test('new jobs come after those of a state, whatever their numbers', async () => {
        const [one, two] = [await workspace(server), await workspace(server)];
        await one.api.newJob();
        const { keys, ...state } = await one.state();
        state.jobs[0].number = 500;
        assert.equal(keys.length, 1);
        assert.equal((await two.put(state)).status, 200);
        const { items, cursor } = await two.mock.must(200, 'GET', '/jobs');
        assert.equal(items.length, 1);
        const next = await two.api.newJob();
        const later = await two.mock.must(200, 'GET', `/jobs?since=${cursor}`);
        assert.deepEqual(later.items.map(({ id }) => id), [next.id]);
        assert.equal((await two.state()).jobs[1].number, 501);
    });

    test('it is there after kill -9 and a restart, and goes by its clock', async (t) => {
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const first = await startServer({ db });
        const one = await everything(first, { clock: 'manual' });
        const { keys, ...state } = await one.state();
        const two = await workspace(first, { clock: 'manual' });
        assert.equal((await two.put(state)).status, 200);
        assert.equal(keys.length, 2);
        const shown = await two.text();
        await first.kill();
        const second = await serve(t, { db });
        const again = clients(second, two.made);
        assert.equal(await again.text(), shown);
        await again.advance({ by: '3h' });
        const { items } = await again.mock.must(200, 'GET', '/jobs?request_id=r-2');
        assert.equal(items[0].status, 'completed');
    });
});

describe('secrets', () => {
    const secret = { callback_url: 'http://127.0.0.1:9/', callback_headers: { 'X-Key': 'hidden-value' } };

    test('values of callback headers are shown where asked for, and kept where absent', async () => {
        const own = await workspace(server);
        const { id } = await own.api.newJob(secret);
        for (const target of ['/state', '/state?reveal=false']) {
            const answer = await own.mock.send('GET', target);
            assert.doesNotMatch(answer.text, /hidden-value/);
            assert.deepEqual(answer.body.jobs[0].callback_headers, { 'X-Key': null });
            const put = await own.put(answer.text);
            assert.equal(put.status, 200, put.text);
            assert.doesNotMatch(put.text, /hidden-value/);
        }
        const { jobs: [{ callback_headers: headers }] } = await own.state();
        assert.deepEqual(headers, secret.callback_headers);
        assert.doesNotMatch(await own.text(), new RegExp(own.made.api_key), 'keys never');
        const other = await workspace(server);
        assertProblem(await other.put({ ...await own.state(false), keys: undefined }), 422,
            'invalid_state', /^jobs\[0\]\.callback_headers\.X-Key has no value/, /Nothing was changed/);
        assert.equal((await other.state()).jobs.length, 0);
        assertProblem(await control(server).send('POST', '/workspaces',
            { body: { state: { ...await own.state(false), keys: undefined } } }), 422, 'invalid_state',
            /^jobs\[0\]\.callback_headers\.X-Key/);
        const given = await own.state(false);
        given.jobs[0].callback_headers = { 'X-Key': 'another', 'X-New': null };
        assertProblem(await own.put(given), 422, 'invalid_state', /^jobs\[0\]\.callback_headers\.X-New/);
        given.jobs[0].callback_headers = { 'X-Key': 'another' };
        assert.equal((await own.put(given)).status, 200);
        assert.deepEqual((await own.state()).jobs[0].callback_headers, { 'X-Key': 'another' });
        assert.equal((await own.mock.must(200, 'GET', `/jobs/${id}`)).id, id);
    });

    test('C2: reveal is true or false, and there are no other parameters', async () => {
        const own = await workspace(server);
        for (const query of ['reveal=yes', 'reveal=', 'reveal=1'])
            assertProblem(await own.mock.send('GET', `/state?${query}`), 422, 'invalid_parameter', /reveal/);
        assertProblem(await own.mock.send('GET', '/state?revael=true'), 422, 'unknown_parameter', /revael/,
            /"reveal"/);
    });
});

describe('keys and members', () => {
    test('those that a state does not name stay; those that it names are all', async () => {
        const own = await workspace(server);
        const first = own.made.api_key;
        const try_ = (key) => request(server, 'GET', '/rest/v1/scenario-studio/jobs/0',
            { headers: { Authorization: `Bearer ${key}` } }).then(({ status }) => status);
        assert.equal((await own.put({ version: 1 })).status, 200);
        assert.equal(await try_(first), 404);
        assert.equal((await own.mock.must(200, 'GET', '/members')).items.length, 1);
        const key = makeKey('givenkey');
        assert.equal((await own.put({ keys: [{ key }], members: ['Jane@acme.com', 'jane@acme.com', '*@x.org'] }))
            .status, 200);
        assert.deepEqual([await try_(first), await try_(key)], [401, 404]);
        assert.deepEqual((await own.mock.must(200, 'GET', '/members')).items.map(({ email }) => email),
            ['jane@acme.com', '*@x.org'], 'once each, as given');
        const { keys } = await own.state();
        assert.deepEqual(Object.keys(keys[0]), ['id', 'sha256', 'last4', 'active', 'created_at']);
        const { sha256, last4 } = keys[0];
        assert.equal((await own.put({ keys: [{ sha256, last4, active: false }] })).status, 200);
        assert.equal(await try_(key), 401);
        assert.equal((await own.put({ keys: [{ sha256, last4 }] })).status, 200);
        assert.equal(await try_(key), 404);
    });

    test('S2: a key of another workspace is 409, one that is there twice 422', async () => {
        const [one, two] = [await workspace(server), await workspace(server)];
        const before_ = await two.text();
        assertProblem(await two.put({ keys: [{ key: one.made.api_key }] }), 409, 'api_key_taken', /^keys\[0\]/);
        const { keys: [{ sha256, last4 }] } = await one.state();
        assertProblem(await two.put({ keys: [{ key: makeKey('x9') }, { sha256, last4 }] }), 409,
            'api_key_taken', /^keys\[1\]/);
        assertProblem(await control(server).send('POST', '/workspaces',
            { body: { state: { keys: [{ sha256, last4 }] } } }), 409, 'api_key_taken', /^keys\[0\]/);
        const twice = { key: makeKey('x8') };
        assertProblem(await two.put({ keys: [twice, twice] }), 422, 'invalid_state', /^keys\[1\] /);
        assertProblem(await two.put({ keys: [{ id: 'a', ...twice }, { id: 'a', key: makeKey('x7') }] }), 422,
            'invalid_state', /^keys\[1\] .*id of/);
        assert.equal(await two.text(), before_);
        assert.equal((await one.state()).keys.length, 1);
    });
});

describe('into another workspace', () => {
    test('H7: urls bear its own prefix, and all else is the same', async () => {
        const one = await everything(server, { clock: 'manual',
            settings: { queue_time: '1h', public_url: null } });
        const state = await one.state();
        delete state.keys;
        const { slug } = state.workspace;
        const made = await control(server).make({ slug: 'imported', state });
        const two = { ...clients(server, made), ended: one.ended };
        const strip = (text, of) => text.replaceAll(`/w/${of}`, '');
        for (const id of one.ended) {
            const [here, there] = [await one.api.getJob(id), await two.api.getJob(id)];
            assert.equal(strip(there.text, 'imported'), strip(here.text, slug));
        }
        const { scenario } = (await two.api.getJob(one.ended[0])).body;
        assert.match(scenario.url, /\/w\/imported\/scenarios\/told$/);
        assert.equal((await two.api.page('/scenarios/told')).status, 200);
        const text = JSON.stringify(await two.state());
        assert.doesNotMatch(text, /\/w\//);
        const known = (await two.api.createSession(jobBody({ request_id: 's-1' }))).body;
        assert.match(known.url, /\/w\/imported\/chat\//);
        assert.equal(known.is_new, false);
        const here = await control(server).send('PUT', '/state?workspace=default', { body: state });
        assert.equal(here.status, 200, here.text);
        const inDefault = await control(server, { headers: {} })
            .must(200, 'GET', `/jobs/${one.ended[0]}?workspace=default`);
        assert.doesNotMatch(inDefault.scenario.url, /\/w\//);
        assert.equal((await control(server).must(200, 'GET', '/state?workspace=default'))
            .workspace.slug, 'acme-corp', 'a slug is not the state\'s to change');
    });

    test('what POST /workspaces says itself counts above its state', async () => {
        const one = await workspace(server, { clock: { mode: 'scaled', scale: 2 }, seed: 'one', ttl: '1h',
            name: 'One', members: ['a@acme.com'], rules: [{ match: {}, label: 'old' }],
            settings: { queue_time: '2h', processing_time: '3h', jitter: 0.5 } });
        await one.api.newJob({ user_email: 'a@acme.com' });
        const state = await one.state();
        delete state.keys;
        const two = clients(server, await control(server).make({ state }));
        const taken = await two.state();
        assert.deepEqual([taken.workspace.name, taken.workspace.ttl, taken.seed, taken.members],
            ['One', '1h', 'one', ['a@acme.com']]);
        assert.deepEqual([taken.draws, taken.clock, taken.settings, taken.jobs, taken.rules],
            [state.draws, state.clock, state.settings, state.jobs, state.rules]);
        assert.equal(taken.keys.length, 1);
        const three = clients(server, await control(server).make({ state, name: 'Three', ttl: '2h',
            clock: { mode: 'manual', now: '2020-01-01T00:00:00Z' }, seed: 'three', members: ['b@acme.com'],
            settings: { queue_time: '5h' }, rules: [{ match: {}, label: 'new' }], api_key: makeKey('q3') }));
        const said = await three.state();
        assert.deepEqual([said.workspace.name, said.workspace.ttl, said.seed, said.members],
            ['Three', '2h', 'three', ['b@acme.com']]);
        assert.equal(said.draws, 1, 'of the new seed, by the new rule');
        assert.equal(said.clock.mode, 'manual');
        assert.equal(said.clock.now, '2020-01-01T00:00:00.000Z');
        assert.deepEqual(said.settings, { ...state.settings, queue_time: '5h' });
        assert.deepEqual(said.rules.map(({ rule }) => rule.label), ['old', 'new']);
        assert.equal(said.jobs[0].id, state.jobs[0].id);
    });
});

describe('what is wrong', () => {
    const clone = (value) => JSON.parse(JSON.stringify(value));
    // [the field, what it says, what makes a good state wrong there]
    const CASES = [
        ['version', /1/, (s) => { s.version = 2; }],
        ['jobz', /"jobs"/, (s) => { s.jobz = []; }],
        ['workspace.slug', /lower-case/, (s) => { s.workspace.slug = 'A'; }],
        ['workspace.nmae', /"name"/, (s) => { s.workspace.nmae = 'x'; }],
        ['workspace.ttl', /duration/, (s) => { s.workspace.ttl = 90; }],
        ['clock.mode', /real, scaled, manual, auto/, (s) => { s.clock.mode = 'fast'; }],
        ['clock.now', /a time/, (s) => { s.clock.now = 'noon'; }],
        ['clock.scale', /0\.001/, (s) => { s.clock.scale = 0; }],
        ['seed', /seed must be/, (s) => { s.seed = ''; }],
        ['draws', /whole number/, (s) => { s.draws = -1; }],
        ['draws', /whole number/, (s) => { s.draws = 2 ** 60; }],
        ['settings.jitter', /0 to 1/, (s) => { s.settings.jitter = 2; }],
        ['settings.queue_time', /unit/, (s) => { s.settings.queue_time = '5'; }],
        ['settings.jiter', /"jitter"/, (s) => { s.settings.jiter = 1; }],
        ['keys[1]', /either key, or sha256/, (s) => { s.keys.push({}); s.keys.splice(1, 1); }],
        ['keys[0].key', /exec_live_/, (s) => { s.keys[0] = { key: 'short' }; }],
        ['keys[0].sha256', /hex/, (s) => { s.keys[0].sha256 = 'x'; }],
        ['keys[0].id', /letters/, (s) => { s.keys[0].id = 'a"b'; }],
        ['keys[0].last4', /last four/, (s) => { s.keys[0].last4 = 'a"bc'; }],
        ['keys[1]', /before it/, (s) => { s.keys[1] = s.keys[0]; }],
        ['members[1]', /address/, (s) => { s.members[1] = 'joe'; }],
        ['scenarios[0].slug', /lower-case/, (s) => { s.scenarios[0].slug = 'a"/b'; }],
        ['scenarios[1].slug', /another/, (s) => { s.scenarios[1].slug = s.scenarios[0].slug; }],
        ['scenarios[0].name', /required/, (s) => { s.scenarios[0].name = ''; }],
        ['scenarios[0].slgu', /not known/, (s) => { s.scenarios[0].slgu = 1; }],
        ['jobs[3]', /object/, (s) => { s.jobs[3] = null; }],
        ['jobs[3].id', /letters/, (s) => { s.jobs[3].id = '<"x">'; }],
        ['jobs[3].id', /another/, (s) => { s.jobs[3].id = s.jobs[1].id; }],
        ['jobs[3].number', /from 1/, (s) => { s.jobs[3].number = 0; }],
        ['jobs[3].number', /whole number/, (s) => { s.jobs[3].number = 2 ** 60; }],
        ['jobs[3].number', /another/, (s) => { s.jobs[3].number = s.jobs[2].number; }],
        ['jobs[4].request_id', /another/, (s) => { s.jobs[4].request_id = 'r-1'; }],
        ['jobs[3].status', /queued, processing, completed, failed, cancelled/,
            (s) => { s.jobs[3].status = 'done'; }],
        ['jobs[3].user_email', /required/, (s) => { delete s.jobs[3].user_email; }],
        ['jobs[3].queue_time', /unit/, (s) => { s.jobs[3].queue_time = 5; }],
        ['jobs[3].base_url', /base of urls/, (s) => { s.jobs[3].base_url = 'javascript:"x"'; }],
        ['jobs[3].created_at', /a time/, (s) => { s.jobs[3].created_at = 1709287200; }],
        ['jobs[4].callback_headers', /names and values/, (s) => { s.jobs[4].callback_headers = { A: 1 }; }],
        ['jobs[4].plan', /object/, (s) => { s.jobs[4].plan = 1; }],
        ['jobs[6].plan.hold_at', /queued, processing/, (s) => { s.jobs[6].plan.hold_at = 'failed'; }],
        ['jobs[6].plan.polls_queued', /1000000000/, (s) => { s.jobs[6].plan.polls_queued = 2 ** 33; }],
        ['jobs[6].plan.hodl_at', /not known/, (s) => { s.jobs[6].plan.hodl_at = 'queued'; }],
        ['jobs[0]', /must have completed_at/, (s) => { s.jobs[0].completed_at = null; }],
        ['jobs[4]', /must not have started_at/, (s) => { s.jobs[4].started_at = s.jobs[4].created_at; }],
        ['jobs[4]', /must have due_at/, (s) => { s.jobs[4].due_at = null; }],
        ['jobs[6]', /must have due_at .* neither held/, (s) => { s.jobs[6].due_at = s.jobs[6].created_at; }],
        ['jobs[0].scenario', /no scenario/, (s) => { s.jobs[0].scenario = 'nothing'; }],
        ['deliveries[0].job', /no job/, (s) => { s.deliveries[0].job = 'nothing'; }],
        ['deliveries[0].job', /no callback_url/, (s) => { s.jobs.forEach((one) => { one.callback_url = null; }); }],
        ['deliveries[0].job', /not ended/, (s) => {
            s.deliveries[0].job = s.jobs[4].id;
            s.jobs[4].callback_url = 'http://127.0.0.1:9/';
        }],
        ['deliveries[0]', /must have due_at/, (s) => {
            Object.assign(s.deliveries[0], { status: 'retrying', due_at: null, ended_at: null });
        }],
        ['deliveries[0]', /must have due_at/, (s) => {
            Object.assign(s.deliveries[0], { status: 'held', due_at: s.deliveries[0].created_at, ended_at: null });
        }],
        ['deliveries[0]', /must have ended_at/, (s) => {
            Object.assign(s.deliveries[0], { status: 'pending', ended_at: s.deliveries[0].created_at });
        }],
        ['sessions[0].job', /no job/, (s) => { s.sessions[0].job = 'nothing'; }],
        ['sessions[1].request_id', /another/, (s) => { s.sessions[1].request_id = 's-1'; }],
        ['project_scenarios[1].name', /another/, (s) => { s.project_scenarios[1].name = 'all'; }],
        ['project_scenarios[0].failure_criteria_mode', /on_max_messages, every_turn/,
            (s) => { s.project_scenarios[0].failure_criteria_mode = 'never'; }],
        ['project_scenarios[0].messages', /list/, (s) => { s.project_scenarios[0].messages = {}; }],
        ['rules[0].rule.mtach', /"match"/, (s) => { s.rules[0].rule.mtach = {}; }],
        ['rules[0].rule.times', /whole number/, (s) => { s.rules[0].rule.times = 0; }],
        ['rules[0]', /must have left/, (s) => { s.rules[0].left = null; }],
        ['rules[0]', /must have left/, (s) => { s.rules[0].left = 4; }],
        ['rules[1]', /must have left/, (s) => { s.rules[1].left = 1; }],
    ];

    test('C2: each fault is 422, names its place, and changes nothing', async () => {
        const own = await everything(server, { clock: 'manual' });
        const good = await own.state();
        const before_ = await own.text();
        for (const [place, says, spoil] of CASES) {
            const bad = clone(good);
            spoil(bad);
            const answer = await own.put(bad);
            assertProblem(answer, 422, 'invalid_state', says);
            assert.ok(answer.body.detail.includes(place.replace(/\.(jobz|nmae|jiter|mtach)$/, '')),
                `${place}: ${answer.body.detail}`);
        }
        assert.equal(await own.text(), before_);
        const { keys, ...rest } = good;
        for (const [place, says, spoil] of CASES.filter(([at]) => !at.startsWith('keys'))) {
            const bad = clone(rest);
            spoil(bad);
            const answer = await control(server).send('POST', '/workspaces',
                { body: { slug: 'never-made', state: bad } });
            assertProblem(answer, 422, 'invalid_state', says);
            assert.ok(place && answer.status);
        }
        assert.equal((await control(server).send('GET', '/workspaces/never-made')).status, 404);
    });

    test('C2: what is no state at all', async () => {
        const own = await workspace(server);
        for (const body of [[], '"x"', 'null', '1'])
            assertProblem(await own.put(body), 422, 'invalid_body', /object/);
        assertProblem(await own.put('{"jobs":['), 400, 'invalid_json');
    });

    test('in the middle of other writes it takes none of them along', async () => {
        const own = await workspace(server);
        const good = await own.state();
        const [other] = [await workspace(server)];
        const taken = { ...good, keys: [{ key: other.made.api_key }] };
        const made = await inParallel(32, Array.from({ length: 200 }), async (_, i) => {
            if (i % 10 !== 5) return own.api.createJob(jobBody({ request_id: `n-${i}` }));
            return own.put(taken);
        });
        for (const [i, { status, text }] of made.entries())
            assert.equal(status, i % 10 === 5 ? 409 : 201, text);
        assert.equal((await own.state()).jobs.length, 180);
    });
});

describe('sizes', () => {
    test('H3: 1 MiB elsewhere; the largest state is 256 MiB, declared or not', async () => {
        const own = await workspace(server);
        const long = ' '.repeat(1024 * 1024 + 1);
        assert.equal((await own.mock.send('POST', '/reset', { body: long })).status, 413);
        assert.equal((await own.api.createJob(`{}${long}`)).status, 413);
        const half = 'x'.repeat(1024 * 1024);
        const state = { ...await own.state(), project_scenarios: [] };
        delete state.keys;
        for (let i = 0; i < 100; i++)
            state.project_scenarios.push({ project: 'p', id: `s-${i}`, name: `n${i}`, instructions: half,
                failure_criteria_mode: 'every_turn', created_at: '2024-03-01T10:00:00Z',
                updated_at: '2024-03-01T10:00:00Z' });
        const answer = await own.put(state);
        assert.equal(answer.status, 200, answer.text.slice(0, 200));
        assert.ok(answer.text.length > 100 * 1024 * 1024);
        assert.equal((await own.projects('p').get('s-99')).body.instructions.length, half.length);
        const tooLong = await request(server, 'PUT', `${own.prefix}/_mock/state`, { body: '{}',
            headers: { 'Content-Length': String(256 * 1024 * 1024 + 1), Expect: '100-continue' } })
            .catch((error) => error);
        assert.equal(tooLong.status, 413, String(tooLong));
    });
});

test('a state that was written by hand: what it leaves out follows from the rest', async (t) => {
    const own_ = await serve(t);
    const at = (minutes) => `2024-03-01T10:0${minutes}:00Z`;
    const made = { created_at: at(0), base_url: 'http://h', user_email: 'a@b.c', prompt: 'p' };
    const own = clients(own_, await control(own_).make({ clock: { mode: 'manual', now: at(1) }, state: {
        scenarios: [{ id: 's-1', slug: 'intro', name: 'Intro', created_at: at(1) }],
        jobs: [{ id: 'j-1', status: 'completed', started_at: at(0), completed_at: at(1), scenario: 's-1', ...made },
            { id: 'j-2', status: 'queued', due_at: at(2), ...made },
            { id: 'j-3', status: 'processing', started_at: at(1), plan: { hold_at: 'processing' }, ...made }],
        rules: [{ id: 'r-1', rule: { match: {} }, created_at: at(0) }],
    } }));
    const { items } = await own.mock.must(200, 'GET', '/jobs');
    assert.deepEqual(items.map(({ id, transitions }) => [id, ...transitions.map(({ to, cause }) => `${to} ${cause}`)]), [
        ['j-1', 'queued request', 'processing timer', 'completed timer'], ['j-2', 'queued request'],
        ['j-3', 'queued request', 'processing timer']]);
    await own.advance({ by: '1m' });
    assert.equal((await own.api.readJob('j-2')).status, 'completed', 'queue and processing time are 0');
    assert.equal((await own.api.readJob('j-3')).status, 'processing', 'held');
    assert.equal((await own.mock.must(200, 'GET', '/rules/r-1')).hit_count > 0, true);
});
