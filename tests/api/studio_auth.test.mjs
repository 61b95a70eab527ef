// Who may call the Studio API, and that workspaces do not see each other.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { assertError, DEFAULT_KEY, DEFAULT_SLUG, job, makeKey, raw, rawRequest, request, serve, sql,
    studio, temporaryDirectory } from './client.mjs';
import { startServer } from '../support/server.mjs';

const OTHER_KEY = makeKey('Other0');
const UNKNOWN_KEY = makeKey('Unknown0');
const BOB = 'bob@other.example';
const QUICK = ['--queue-time', '0ms', '--processing-time', '1ms'];

const ROUTES = [
    ['POST', '/rest/v1/scenario-studio'],
    ['POST', '/rest/v1/scenario-studio/jobs'],
    ['GET', '/rest/v1/scenario-studio/jobs/0123456789ab'],
    ['DELETE', '/rest/v1/scenario-studio/jobs/0123456789ab'],
];

let server;
let ours;
let theirs;
before(async () => {
    server = await startServer({
        args: [...QUICK, '--api-key', `${OTHER_KEY}=other`, '--member', `${BOB}=other`] });
    ours = studio(server);
    theirs = studio(server, { key: OTHER_KEY });
});
after(() => server.stop());

function assertUnauthorized(answer, what) {
    assertError(answer, 401, 'authentication_error', 'invalid_api_key',
        'Invalid or inactive API key', what);
    assert.equal(answer.headers['www-authenticate'], 'Bearer', what);
}

const secret = DEFAULT_KEY.slice('exec_live_'.length);
const REFUSED = {
    'no header': [],
    'an empty header': ['Authorization:'],
    'the scheme alone': ['Authorization: Bearer'],
    'the scheme and a space': ['Authorization: Bearer '],
    'the key without a scheme': [`Authorization: ${DEFAULT_KEY}`],
    'no space after the scheme': [`Authorization: Bearer${DEFAULT_KEY}`],
    'another scheme': [`Authorization: Basic ${DEFAULT_KEY}`],
    'a real Basic': ['Authorization: Basic amFuZTpzZWNyZXQ='],
    'a scheme that begins like it': [`Authorization: Bearers ${DEFAULT_KEY}`],
    'a key of 39': [`Authorization: Bearer exec_live_${secret.slice(1)}`],
    'a key of 41': [`Authorization: Bearer ${DEFAULT_KEY}x`],
    'the prefix alone': ['Authorization: Bearer exec_live_'],
    'no prefix': [`Authorization: Bearer ${secret}`],
    'another prefix': [`Authorization: Bearer exec_test_${secret}`],
    'an upper-case prefix': [`Authorization: Bearer EXEC_LIVE_${secret}`],
    'a hyphen in the key': [`Authorization: Bearer exec_live_-${secret.slice(1)}`],
    'an underscore in the key': [`Authorization: Bearer exec_live__${secret.slice(1)}`],
    'a letter beyond ASCII': [`Authorization: Bearer exec_live_\xe9${secret.slice(1)}`],
    'the key in lower case': [`Authorization: Bearer ${DEFAULT_KEY.toLowerCase()}`],
    'the key in quotes': [`Authorization: Bearer "${DEFAULT_KEY}"`],
    'something after the key': [`Authorization: Bearer ${DEFAULT_KEY} x`],
    'two keys': [`Authorization: Bearer ${DEFAULT_KEY}, Bearer ${DEFAULT_KEY}`],
    'a parameter': [`Authorization: Bearer token=${DEFAULT_KEY}`],
    'two headers, both right': [`Authorization: Bearer ${DEFAULT_KEY}`,
        `Authorization: Bearer ${DEFAULT_KEY}`],
    'two headers, the first right': [`Authorization: Bearer ${DEFAULT_KEY}`, 'Authorization: Basic x'],
    'two headers, the second right': ['Authorization: Basic x', `Authorization: Bearer ${DEFAULT_KEY}`],
    'another header': [`X-Api-Key: ${DEFAULT_KEY}`],
    'an unknown key': [`Authorization: Bearer ${UNKNOWN_KEY}`],
};

for (const [name, headers] of Object.entries(REFUSED)) {
    test(`S1: ${name} → 401`, async () => {
        for (const [method, target] of ROUTES) {
            const { answers } = await raw(server,
                rawRequest(method, target, [...headers, 'Content-Length: 0']), { answers: 1 });
            assertUnauthorized(answers[0], `${method} ${target}`);
        }
    });
}

test('S1: the key in the query string → 401', async () => {
    assertUnauthorized(await request(server, 'GET',
        `${ROUTES[2][1]}?api_key=${DEFAULT_KEY}&access_token=${DEFAULT_KEY}`));
});

for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR', 'Bearer ']) {
    test(`S1: the scheme "${scheme}" is taken`, async () => {
        const answer = await request(server, 'GET', ROUTES[2][1],
            { headers: { authorization: `${scheme} ${DEFAULT_KEY}` } });
        assert.equal(answer.status, 404);
        assert.equal(answer.body.error.code, 'job_not_found');
        assert.equal(answer.headers['www-authenticate'], undefined);
    });
}

test('S1: the header\'s name in any case is taken', async () => {
    const { answers } = await raw(server, rawRequest('GET', ROUTES[2][1],
        [`aUTHORIZATION: Bearer ${DEFAULT_KEY}`]), { answers: 1 });
    assert.equal(answers[0].status, 404);
});

test('S1: 401 comes before 404, 405 and 413, and before the body is looked at', async () => {
    const cases = [
        ['GET', '/rest/v1/nothing'], ['GET', '/rest'], ['GET', '/rest/'], ['GET', '/rest/v2/x'],
        ['GET', '/rest/v1/scenario-studio/jobs'], ['PUT', '/rest/v1/scenario-studio/jobs'],
        ['PATCH', '/rest/v1/scenario-studio'], ['OPTIONS', '/rest/v1/scenario-studio'],
        ['GET', '/rest/v1/scenario-studio/jobs/'],
        ['POST', ROUTES[1][1], '{'], ['POST', ROUTES[0][1], ''], ['POST', ROUTES[0][1], '{}'],
        ['POST', ROUTES[1][1], Buffer.alloc(2 * 1024 * 1024, 'x')],
    ];
    for (const [method, target, body] of cases)
        assertUnauthorized(await request(server, method, target, { body }), `${method} ${target}`);
});

test('S1: HEAD is refused like GET, without a body', async () => {
    const answer = await request(server, 'HEAD', ROUTES[2][1]);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
    assert.equal(answer.text, '');
});

test('S1: a refused request changes nothing', async () => {
    const body = job({ request_id: 'refused-then-made' });
    assertUnauthorized(await studio(server, { key: UNKNOWN_KEY }).createJob(body));
    const made = await ours.createJob(body);
    assert.equal(made.status, 201);
    assertUnauthorized(await studio(server, { key: UNKNOWN_KEY }).cancelJob(made.body.id));
});

test('S1: without defaults there is no key and no member', async (t) => {
    const bare = await serve(t, { args: ['--no-defaults', '--api-key', UNKNOWN_KEY] });
    assertUnauthorized(await studio(bare).createJob(job()));
    assertError(await studio(bare, { key: UNKNOWN_KEY }).createJob(job()), 400, 'invalid_request',
        'user_not_found', 'No user found with email: jane@acme.com');
});

test('S1: several keys of one workspace are equal', async (t) => {
    const second = makeKey('Second0');
    const two = await serve(t, { args: ['--api-key', second] });
    const made = await studio(two).newJob();
    assert.equal((await studio(two, { key: second }).readJob(made.id)).id, made.id);
});

test('S2: a job of another workspace is unknown', async () => {
    const made = await ours.newJob();
    const message = `Job not found: ${made.id}`;
    assertError(await theirs.getJob(made.id), 404, 'not_found', 'job_not_found', message);
    assertError(await theirs.cancelJob(made.id), 404, 'not_found', 'job_not_found', message);
    assert.equal((await ours.jobEnd(made.id)).status, 'completed');
});

test('S2, S8: a member of another workspace is none', async () => {
    assertError(await theirs.createJob(job()), 400, 'invalid_request', 'user_not_found',
        'No user found with email: jane@acme.com');
    assertError(await ours.createJob(job({ user_email: BOB })), 400, 'invalid_request',
        'user_not_found', `No user found with email: ${BOB}`);
});

test('S2, S12: a request_id of another workspace is unknown', async () => {
    for (const create of ['createJob', 'createSession']) {
        const mine = await ours[create](job({ request_id: 'shared' }));
        const other = await theirs[create](job({ user_email: BOB, request_id: 'shared' }));
        assert.equal(mine.body.is_new, true, create);
        assert.equal(other.body.is_new, true, create);
        assert.notEqual(mine.body.id, other.body.id);
        const again = await theirs[create](job({ user_email: BOB, request_id: 'shared' }));
        assert.equal(again.body.is_new, false);
        assert.equal(again.body.id, other.body.id);
    }
});

test('S2, S9, S24: slugs are each workspace\'s own', async () => {
    const prompt = 'Isolation rehearsal call';
    const first = await ours.jobEnd((await ours.newJob({ prompt })).id);
    const { slug } = first.scenario;
    assertError(await theirs.createJob(job({ user_email: BOB, prompt, scenario_slug: slug })), 404,
        'not_found', null, `Scenario not found: ${slug}`);
    assert.equal((await studio(server, { prefix: '/w/other' }).page(`/scenarios/${slug}`)).status, 404);
    const second = await theirs.jobEnd((await theirs.newJob({ user_email: BOB, prompt })).id);
    assert.equal(second.scenario.slug, slug, 'no -2: the other workspace\'s does not count');
    assert.notEqual(second.scenario.id, first.scenario.id);
    const ourPage = await ours.page(`/scenarios/${slug}`);
    const theirPage = await studio(server, { prefix: '/w/other' }).page(`/scenarios/${slug}`);
    assert.ok(ourPage.text.includes(first.scenario.id) && !ourPage.text.includes(second.scenario.id));
    assert.ok(theirPage.text.includes(second.scenario.id) && !theirPage.text.includes(first.scenario.id));
});

test('S2, S13: a session of another workspace has no page', async () => {
    const mine = (await ours.createSession(job())).body;
    const other = (await theirs.createSession(job({ user_email: BOB }))).body;
    assert.equal((await ours.page(`/chat/${mine.id}`)).status, 200);
    assert.equal((await ours.page(`/chat/${other.id}`)).status, 404);
    assert.equal((await ours.page(`/w/other/chat/${other.id}`)).status, 200);
    assert.equal((await ours.page(`/w/other/chat/${mine.id}`)).status, 404);
});

test('H7: every path exists under the prefix of the key\'s workspace', async () => {
    const prefixed = studio(server, { prefix: `/w/${DEFAULT_SLUG}` });
    const made = await prefixed.newJob();
    assert.equal((await prefixed.getJob(made.id)).status, 200);
    assert.equal((await ours.getJob(made.id)).status, 200, 'it is the same workspace');
    await prefixed.jobEnd(made.id);
    assertError(await prefixed.cancelJob(made.id), 400, 'invalid_request', 'job_not_cancellable',
        'Cannot cancel job in \'completed\' state');
    const session = await prefixed.createSession(job());
    assert.equal(session.status, 200);
    assert.equal(session.body.url, `${server.url}/chat/${session.body.id}`,
        'urls of the default workspace bear no prefix');
    assert.equal((await prefixed.page(`/chat/${session.body.id}`)).status, 200);
    assertError(await prefixed.send('GET', '/nothing'), 404, 'not_found', null,
        (await ours.send('GET', '/nothing')).body.error.message);
});

test('H7: urls of another workspace bear its prefix, and answer there', async () => {
    for (const prefix of ['', '/w/other']) {
        const client = studio(server, { key: OTHER_KEY, prefix });
        const session = (await client.createSession(job({ user_email: BOB }))).body;
        assert.equal(session.url, `${server.url}/w/other/chat/${session.id}`);
        assert.equal((await request(server, 'GET', new URL(session.url).pathname)).status, 200);
        const done = await client.jobEnd((await client.newJob({ user_email: BOB })).id);
        assert.equal(done.scenario.url, `${server.url}/w/other/scenarios/${done.scenario.slug}`);
        const page = await request(server, 'GET', new URL(done.scenario.url).pathname);
        assert.equal(page.status, 200);
    }
});

test('H7: under a prefix, the key of another workspace → 401', async () => {
    for (const [key, slug] of [[OTHER_KEY, DEFAULT_SLUG], [DEFAULT_KEY, 'other'],
        [DEFAULT_KEY, 'nowhere'], [OTHER_KEY, 'OTHER'], [DEFAULT_KEY, 'Acme-Corp'],
        [UNKNOWN_KEY, 'other'], [DEFAULT_KEY, 'acme-corp%20']])
        for (const [method, target] of [...ROUTES, ['GET', '/rest/v1/nothing']])
            assertUnauthorized(await request(server, method, `/w/${slug}${target}`,
                { headers: { Authorization: `Bearer ${key}` } }), `${slug} ${method} ${target}`);
});

test('H7: the prefix is percent-decoded like any segment', async () => {
    const made = await ours.newJob();
    const encoded = studio(server, { prefix: '/w/%61cme%2Dcorp' });
    assert.equal((await encoded.getJob(made.id)).status, 200);
});

test('H7: a page under an unknown workspace\'s prefix → 404', async () => {
    const session = (await ours.createSession(job())).body;
    assert.equal((await ours.page(`/w/nowhere/chat/${session.id}`)).status, 404);
});

async function filesUnder(directory) {
    const names = await readdir(directory);
    return Promise.all(names.map(async (name) =>
        [name, await readFile(path.join(directory, name))]));
}

test('S1: keys are in no file and no log line; their hash and last four characters are kept', async (t) => {
    const directory = await temporaryDirectory(t);
    const keyed = await startServer({ db: path.join(directory, 'store.db'),
        args: [...QUICK, '--log-level', 'debug', '--api-key', `${OTHER_KEY}=other`] });
    const keys = [DEFAULT_KEY, OTHER_KEY, UNKNOWN_KEY];
    const secrets = keys.flatMap((key) => [key.slice(10), key.slice(10, 34), key.toLowerCase().slice(10)]);
    try {
        for (const key of keys) {
            await studio(keyed, { key }).createJob(job());
            await studio(keyed, { key, prefix: '/w/other' }).getJob('0123456789ab');
            await request(keyed, 'GET', ROUTES[2][1], { headers: { Authorization: `Basic ${key}` } });
        }
        for (const [name, bytes] of await filesUnder(directory))
            for (const text of secrets) assert.ok(!bytes.includes(text), `${name}, while it runs`);
    } finally {
        await keyed.stop();
    }
    for (const [name, bytes] of await filesUnder(directory))
        for (const text of secrets) assert.ok(!bytes.includes(text), name);
    assert.ok(keyed.stderr.includes('/rest/v1/scenario-studio/jobs'), 'requests were logged');
    for (const text of secrets)
        assert.ok(!keyed.stderr.includes(text) && !keyed.stdout.includes(text), 'the log');
    const rows = await sql(path.join(directory, 'store.db'),
        'SELECT lower(hex(hash)) AS hash, last4 FROM api_key ORDER BY pk');
    assert.deepEqual(rows, [DEFAULT_KEY, OTHER_KEY].map((key) =>
        ({ hash: createHash('sha256').update(key).digest('hex'), last4: key.slice(-4) })));
});
