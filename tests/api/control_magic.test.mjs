// Values that work with an unchanged client: tags in addresses, #mock lines in prompts and contexts.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { assertInvalid, job, makeKey, serve, studio, temporaryDirectory } from './client.mjs';
import { startServer } from '../support/server.mjs';
import { control } from './control.mjs';

const FAILED = { code: 'GENERATION_ERROR', message: 'Unable to generate scenario from the provided prompt' };
const POLICY = { code: 'CONTENT_POLICY_VIOLATION', message: 'The prompt violates the content policy' };
const quick = ['--queue-time', '0ms', '--processing-time', '10ms'];
const never = ['--queue-time', '1h', '--processing-time', '1h'];
const noUser = (api, email, fields) => api.createJob(job({ user_email: email, ...fields })).then((answer) =>
    assertInvalid(answer, 'user_not_found', `No user found with email: ${email}`));

let server;
let api;
before(async () => {
    server = await startServer({ args: quick });
    api = studio(server);
});
after(() => server.stop());

/** Makes a job and waits for its end. */
async function ended(fields, client = api) {
    return client.jobEnd((await client.newJob(fields)).id);
}

/** The ids of those jobs which stay as they are while another one, made later, runs to its end. */
async function stays(ids, client) {
    const last = await ended({}, client);
    assert.equal(last.status, 'completed');
    return Promise.all(ids.map((id) => client.readJob(id)));
}

test('S8, S23: +fail and +policy', async () => {
    for (const [tag, error] of [['fail', FAILED], ['policy', POLICY], ['FAIL', FAILED], ['Policy', POLICY]]) {
        const made = await ended({ user_email: `Jane+${tag}@acme.com` });
        assert.equal(made.status, 'failed', tag);
        assert.deepEqual(made.error, error);
        assert.equal(made.scenario, null);
    }
});

test('+slow: that processing time; several tags add up', async () => {
    const slow = await ended({ user_email: 'jane+slow-250ms@acme.com' });
    assert.deepEqual([slow.status, slow.duration_seconds], ['completed', 0.25]);
    const both = await ended({ user_email: 'jane+fail+slow-120ms@acme.com' });
    assert.deepEqual([both.status, both.duration_seconds], ['failed', 0.12]);
    const { id } = await api.newJob({ user_email: 'jane+slow-10M@acme.com' });
    await api.jobIn(id, 'processing');
    assert.equal((await stays([id], api))[0].status, 'processing');
});

test('+hold: stays processing; it can be cancelled', async () => {
    const { id } = await api.newJob({ user_email: 'jane+hold@acme.com' });
    await api.jobIn(id, 'processing');
    assert.equal((await stays([id], api))[0].status, 'processing');
    assert.equal((await api.cancelJob(id)).body.status, 'cancelled');
});

test('S8: an address with a tag is its member, and without one of ours nobody', async () => {
    for (const email of ['jane+work@acme.com', 'jane+failed@acme.com', 'jane+@acme.com', 'jane+slow@acme.com',
        'jane+slow-10@acme.com', 'jane+slow-1d@acme.com', 'jim+fail@acme.com', '+fail@acme.com', 'jane+fail+x@acme.com'])
        await noUser(api, email);
    assertInvalid(await api.createSession(job({ user_email: 'jim+hold@acme.com' })), 'user_not_found',
        'No user found with email: jim+hold@acme.com');
});

test('an address that is itself a member comes first; a pattern does not', async (t) => {
    const own = await serve(t, { args: [...quick, '--member', 'jane+fail@acme.com', '--member', '*@glob.example'] });
    const client = studio(own);
    assert.equal((await ended({ user_email: 'jane+fail@acme.com' }, client)).status, 'completed');
    assert.equal((await ended({ user_email: 'JANE+FAIL@acme.com' }, client)).status, 'completed');
    assert.deepEqual((await ended({ user_email: 'jane+policy@acme.com' }, client)).error, POLICY);
    const [held] = await stays([(await client.newJob({ user_email: 'jane+fail+hold@acme.com' })).id], client);
    assert.equal(held.status, 'processing');
    assert.deepEqual((await ended({ user_email: 'x+fail@glob.example' }, client)).error, FAILED);
    assert.equal((await ended({ user_email: 'x+work@glob.example' }, client)).status, 'completed');
    await control(own).must(204, 'DELETE', '/members/jane+fail@acme.com');
    assert.equal((await ended({ user_email: 'jane+fail@acme.com' }, client)).status, 'failed');
});

test('each word of a line, in the prompt and in the context', async (t) => {
    const client = studio(await serve(t, { args: never }));
    const lines = [
        ['queued=0ms processing=40ms', { status: 'completed', duration_seconds: 0.04, error: null }],
        ['queued=0ms processing=0ms end=completed', { status: 'completed', duration_seconds: 0 }],
        ['queued=0ms processing=0ms end=failed', { status: 'failed', error: FAILED }],
        ['queued=0ms processing=0ms end=failed error=CONTENT_POLICY_VIOLATION', { status: 'failed', error: POLICY }],
        ['queued=0ms processing=0ms error=OUT_OF_TEA',
            { status: 'failed', error: { code: 'OUT_OF_TEA', message: 'The job failed: OUT_OF_TEA' } }],
        ['queued=0ms processing=0ms error=X end=completed', { status: 'completed', error: null }],
    ];
    for (const [line, expected] of lines)
        for (const fields of [{ prompt: `A renewal call\n#mock ${line}` }, { context: `Notes\r\n#mock\t${line}\r\nMore` }]) {
            const made = await ended(fields, client);
            assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, made[key]])), expected, line);
        }
    const slug = await ended({ prompt: 'A call\n#mock queued=0ms processing=0ms slug=my-call' }, client);
    assert.equal(slug.scenario.slug, 'my-call');
    assert.equal(slug.scenario.name, 'Call');
    assert.equal((await client.page('/scenarios/my-call')).status, 200);
});

test('hold: stays in its state', async () => {
    const ids = [];
    for (const state of ['queued', 'processing']) {
        const { id } = await api.newJob({ prompt: `A call #mock hold=${state}` });
        ids.push((await api.jobIn(id, state)).id);
    }
    assert.deepEqual((await stays(ids, api)).map(({ status }) => status), ['queued', 'processing']);
});

test('lines add up; line before tag before settings; prompt before context', async () => {
    const added = await ended({ user_email: 'jane+policy@acme.com', context: '#mock processing=30ms end=failed',
        prompt: 'A call\n#mock queued=0ms\nwith a CFO\n#mock processing=20ms' });
    assert.deepEqual([added.status, added.duration_seconds, added.error], ['failed', 0.02, POLICY]);
    const saved = await ended({ user_email: 'jane+fail@acme.com', prompt: 'A call with a CFO #mock end=completed' });
    assert.equal(saved.status, 'completed');
    const timed = await ended({ user_email: 'jane+slow-1h@acme.com', prompt: 'A call #mock processing=60ms' });
    assert.equal(timed.duration_seconds, 0.06);
    const later = await ended({ prompt: 'A call #mock error=A\n#mock error=B' });
    assert.equal(later.error.code, 'B');
});

test('S24: the name is made from the rest of the prompt, which stays as it was given', async () => {
    const prompt = 'A discovery call #mock processing=5ms\r\nwith a skeptical CFO\n#mock end=completed';
    const plain = await ended({ prompt: 'A discovery call with a skeptical CFO' });
    const { scenario } = await ended({ prompt });
    assert.equal(scenario.name, plain.scenario.name);
    const page = await api.page(`/scenarios/${scenario.slug}`);
    assert.ok(page.text.includes('#mock processing=5ms') && page.text.includes('#mock end=completed'));

    const nothing = await ended({ prompt: '#mock end=completed' });
    assert.deepEqual([nothing.status, nothing.scenario.name], ['completed', 'Scenario']);
    for (const empty of ['#mock', '?! #mock queued=0ms'])
        assert.deepEqual((await ended({ prompt: empty })).error, FAILED, empty);
});

test('what is no line is text', async () => {
    for (const prompt of ['A call #mockery x', 'A call http://x/#mock x', 'A call a#mock x', 'A call #Mock x', 'A call #mock: x'])
        assert.equal((await ended({ prompt })).status, 'completed', prompt);
    assert.equal((await ended({ prompt: 'A call #mock' })).scenario.name, 'Call');
});

const known = 'Known are end=completed|failed, error=CODE, queued=1s, processing=40s, polls_queued=2, '
    + 'polls_processing=3, hold=queued|processing, slug=SLUG';
const wrong = [
    ['ende=failed', `has the unknown #mock word "ende=failed": did you mean "end"? ${known}`],
    ['frobnicate', `has the unknown #mock word "frobnicate". ${known}`],
    ['queued=1s x', `has the unknown #mock word "x". ${known}`],
    ['end=faild', 'has the #mock word "end=faild", whose value must be completed or failed: did you mean "failed"?'],
    ['end', 'has the #mock word "end", whose value must be completed or failed'],
    ['error=', 'has the #mock word "error=", whose value must be a code of 1 to 63 letters, digits, _, - and .'],
    ['queued=5', 'has the #mock word "queued=5", whose value has no unit: write 5ms, 5s, 5m or 5h'],
    ['processing=-1s', 'has the #mock word "processing=-1s", whose value may not be negative'],
    ['polls_queued=x', 'has the #mock word "polls_queued=x", whose value must be a whole number from 0 to 1000000'],
    ['polls_processing=1.5', 'has the #mock word "polls_processing=1.5", whose value must be a whole number from 0 to 1000000'],
    ['hold=failed', 'has the #mock word "hold=failed", whose value must be queued or processing'],
    ['slug=A', 'has the #mock word "slug=A", whose value must be 1 to 119 lower-case letters, digits and -, '
        + 'neither first nor last a -'],
    ['"><b>', `has the unknown #mock word ""><b>". ${known}`],
];

test('S6: a wrong word is 400 and named, in jobs and in sessions', async () => {
    for (const [line, message] of wrong) {
        const text = `A call\n#mock ${line}\nmore`;
        assertInvalid(await api.createJob(job({ prompt: text })), 'invalid_prompt', `prompt ${message}`);
        assertInvalid(await api.createJob(job({ context: text })), 'invalid_context', `context ${message}`);
        assertInvalid(await api.createSession(job({ prompt: text })), 'invalid_prompt', `prompt ${message}`);
        assert.equal((await api.createSession(job({ context: text }))).status, 200, 'a session has no context');
    }
    const long = await api.createSession(job({ prompt: `#mock ${'x'.repeat(1_000_000)}` }));
    assertInvalid(long, 'invalid_prompt', `prompt has the unknown #mock word "${'x'.repeat(40)}…". ${known}`);
});

test('S10: a wrong word comes where its field’s format does', async () => {
    const bad = 'A call #mock x';
    const message = `has the unknown #mock word "x". ${known}`;
    const isPrompt = async (fields) => assertInvalid(await api.createJob(job({ prompt: bad, ...fields })),
        'invalid_prompt', `prompt ${message}`);
    assertInvalid(await api.createJob(job({ user_email: null, prompt: bad })), null, 'user_email is required');
    assertInvalid(await api.createJob(job({ user_email: 'x', prompt: bad })), 'invalid_user_email',
        'user_email must be a valid email address');
    await isPrompt({ context: 5 });
    await isPrompt({ context: bad });
    await isPrompt({ callback_url: 'x' });
    await isPrompt({ user_email: 'nobody@acme.com' });
    await isPrompt({ scenario_slug: 'nothing' });
    await isPrompt({ prompt: `${bad}\n${'a'.repeat(10_001)}` });
    assertInvalid(await api.createJob(job({ context: bad, callback_url: 'x' })), 'invalid_context', `context ${message}`);
    assertInvalid(await api.createJob(job({ context: bad, prompt: 'a'.repeat(10_001) })), 'invalid_context',
        `context ${message}`);
    assertInvalid(await api.createJob(job({ prompt: 5, context: bad })), 'invalid_prompt', 'prompt must be a string');
    assertInvalid(await api.createJob(job({ prompt: `A #mock end=failed\n${'a'.repeat(10_000)}` })), 'prompt_too_long',
        'prompt must be 10000 characters or fewer');
    // S12: a known request_id is looked up after that, and its job stays as it was planned.
    const first = await api.newJob({ request_id: 'line', prompt: 'A call #mock hold=processing' });
    await isPrompt({ request_id: 'line' });
    const again = await api.createJob(job({ request_id: 'line', user_email: 'jane+fail@acme.com', prompt: '#mock end=failed' }));
    assert.deepEqual([again.status, again.body.id], [200, first.id]);
    assert.equal((await stays([first.id], api))[0].status, 'processing');
});

/** Opens a session's page, and reads the job that this has started to its end. */
async function opened(client, fields) {
    const { body } = await client.createSession(job(fields));
    const page = await client.page(new URL(body.url).pathname);
    return client.jobEnd(/<dt>Job<\/dt><dd><code>(?:<bdi>)?([0-9a-f]{12})/.exec(page.text)[1]);
}

test('S13: a session’s job follows its tag and its lines', async () => {
    assert.deepEqual((await opened(api, { user_email: 'jane+policy@acme.com' })).error, POLICY);
    const line = await opened(api, { user_email: 'jane+fail@acme.com', prompt: 'A call with a CFO\n#mock end=completed processing=70ms' });
    assert.deepEqual([line.status, line.duration_seconds, line.scenario.name], ['completed', 0.07, 'Call with CFO']);
    assert.equal((await opened(api, { prompt: 'A call with a CFO\n#mock error=X' })).error.code, 'X');
});

for (const how of ['--no-magic', 'settings'])
    test(`off by ${how}: tags and lines are text`, async (t) => {
        const own = await serve(t, { args: how === 'settings' ? quick : [...quick, '--no-magic'] });
        const client = studio(own);
        const mock = control(own);
        if (how === 'settings') await mock.set({ magic: false });
        assert.equal((await mock.must(200, 'GET', '/settings')).magic, false);
        for (const tag of ['fail', 'policy', 'hold', 'slow-10m']) {
            await noUser(client, `jane+${tag}@acme.com`);
            const session = await client.createSession(job({ user_email: `jane+${tag}@acme.com` }));
            assertInvalid(session, 'user_not_found', `No user found with email: jane+${tag}@acme.com`);
        }
        for (const line of ['end=failed', 'error=X', 'hold=queued', 'processing=1h', ...wrong.map(([word]) => word)]) {
            const made = await ended({ prompt: `A call #mock ${line}`, context: `#mock ${line}` }, client);
            assert.equal(made.status, 'completed', line);
            assert.match(made.scenario.name, /Mock/i, 'the name is made from all of it');
        }
        assert.equal((await opened(client, { prompt: 'A call #mock end=failed' })).status, 'completed');
        await mock.must(201, 'POST', '/members', { body: { email: '*@acme.com' } });
        assert.equal((await ended({ user_email: 'jane+fail@acme.com' }, client)).status, 'completed');
        // A session that was made meanwhile has a line which would be refused now: it says nothing.
        const { body } = await client.createSession(job({ prompt: 'A call #mock end=failed nonsense' }));
        await mock.set({ magic: true });
        assert.equal((await ended({ user_email: 'jane+fail@acme.com' }, client)).status, 'failed');
        const page = await client.page(new URL(body.url).pathname);
        const id = /<dt>Job<\/dt><dd><code>(?:<bdi>)?([0-9a-f]{12})/.exec(page.text)[1];
        assert.equal((await client.jobEnd(id)).status, 'completed');
    });

test('one workspace’s setting is not another’s; it is given when one is made', async (t) => {
    const own = await serve(t, { args: [...quick, '--no-magic'] });
    const mock = control(own);
    const on = await mock.make({ members: ['a@b.example'], settings: { magic: true } });
    const off = await mock.make({ members: ['a@b.example'] });
    assert.deepEqual([on.settings.magic, off.settings.magic], [true, false]);
    const made = await ended({ user_email: 'a+fail@b.example' }, studio(own, { key: on.api_key }));
    assert.equal(made.status, 'failed');
    await noUser(studio(own, { key: off.api_key }), 'a+fail@b.example');
});

test('a plan stays over a restart', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const first = await startServer({ args: never, db });
    const client = studio(first);
    const { id: held } = await client.newJob({ user_email: 'jane+hold@acme.com', prompt: 'A call #mock queued=0ms processing=0ms' });
    const { id: failing } = await client.newJob({ prompt: 'A call\n#mock queued=0ms processing=300ms error=LATE' });
    await client.jobIn(held, 'processing');
    await first.stop();
    const again = studio(await serve(t, { args: quick, db }));
    assert.equal((await again.jobEnd(failing)).error.code, 'LATE');
    assert.equal((await stays([held], again))[0].status, 'processing');
});

test('--open-keys: tags count where every address is a member', async (t) => {
    const client = studio(await serve(t, { args: [...quick, '--open-keys'] }), { key: makeKey('open') });
    assert.deepEqual((await ended({ user_email: 'anybody+fail@anywhere.example' }, client)).error, FAILED);
    assert.equal((await ended({ user_email: 'anybody@anywhere.example' }, client)).status, 'completed');
});
