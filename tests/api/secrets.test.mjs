// Secrets go nowhere that is kept or shown: keys, the control token, the values of callback_headers,
// webhook secrets. All of them are used, rightly and wrongly, and then looked for in all that the
// server writes and answers. What has to be stored is stored where its owner alone reads it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { afterwards, job, makeKey, request, serve, sql, temporaryDirectory, until } from './client.mjs';
import { control } from './control.mjs';
import { Wire, ask, request as message } from './wire.mjs';

const STUDIO = '/rest/v1/scenario-studio';
const secrets = {
    key: makeKey('Acme7Key'),
    'unknown key': makeKey('Nobody5Key'),
    'control token': 'tok/en-horse+battery',
    'callback header': 'hush-hush-callback-value',
    'webhook secret': `whsec_${Buffer.from('a-secret-of-32-bytes-to-sign-by!').toString('base64')}`,
};
const { key, 'unknown key': unknown, 'control token': token, 'callback header': hush, 'webhook secret': whsec } = secrets;
const bearer = (value) => ({ Authorization: `Bearer ${value}` });
const options = (format) => ['--control-token', token, '--api-key', `${key}=acme`, '--member', 'jane@acme.com=acme',
    '--queue-time', '0ms', '--processing-time', '0ms', '--log-level', 'debug', '--log-format', format];

/** Neither the secret nor all of it but its last four, in any spelling that says the same. */
function assertAbsent(text, where, names = Object.keys(secrets)) {
    for (const name of names) {
        const part = secrets[name].replace(/^(exec_live_|whsec_)/, '').slice(0, -4);
        for (const form of [part, encodeURIComponent(part), part.replaceAll('/', '\\/'), Buffer.from(part).toString('base64').slice(0, -4)])
            assert.ok(!text.includes(form), `${where} has the ${name}: …${text.slice(Math.max(0, text.indexOf(form) - 200), text.indexOf(form) + 80)}`);
    }
}

/** Where a client may put a credential that has no business there. */
const strays = (secret) => {
    const escaped = [...secret].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');
    const json = [...secret].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('');
    return [
        message('GET', `${STUDIO}/jobs/x?token=${encodeURIComponent(secret)}`, { headers: bearer(key) }),
        message('GET', `${STUDIO}/jobs/x?token=${secret}&a=${escaped}`),
        message('GET', `${STUDIO}/jobs/${escaped}`, { headers: bearer(key) }),
        message('GET', `/nowhere/${secret}`),
        message('GET', `/w/${secret}/x`),
        message('GET', `/chat/${encodeURIComponent(secret)}`),
        message('GET', `/openapi/${encodeURIComponent(secret)}`),
        message('GET', `/_mock/${escaped}`),
        message('DELETE', `/_mock/rules/${escaped}`, { headers: bearer(key) }),
        message('PATCH', `/_mock/settings?token=${secret}`, { headers: bearer(key), body: '{}' }),
        message(/^[\w!#$%&'*+.^`|~-]+$/.test(secret) ? secret : 'GET', '/x'),
        message('GET', `${STUDIO}/jobs/x`, { headers: { ...bearer(key), 'X-Api-Key': secret, 'X-Request-Id': secret,
            Cookie: `a=b; token=${secret}`, Referer: `https://x.test/?t=${escaped}`, 'User-Agent': `x ${secret}`, [`X-${secret.replace('/', '')}`]: secret } }),
        message('GET', `${STUDIO}/jobs/x`, { headers: { Authorization: secret, 'Proxy-Authorization': `Bearer ${secret}` } }),
        message('GET', `${STUDIO}/jobs/x`, { headers: { Authorization: `Token ${secret}` } }),
        message('GET', `${STUDIO}/jobs/x`, { headers: bearer(secret) }),
        message('POST', `${STUDIO}/jobs`, { headers: bearer(key), body: JSON.stringify({ user_email: secret }) }),
        message('POST', `${STUDIO}/jobs`, { headers: bearer(key), body: `{"user_email":"${json}"}` }),
        message('POST', `${STUDIO}/jobs`, { headers: bearer(key), body: JSON.stringify({ token: secret }).replaceAll('/', '\\/') }),
        message('POST', `${STUDIO}/jobs`, { headers: bearer(key), body: `token=${secret}` }),
        message('POST', '/api/projects/p/scenarios', { headers: { 'Content-Type': secret }, body: '{"name":' }),
        message('POST', '/_mock/inbox/x?workspace=acme', { headers: { ...bearer(secret), 'X-Api-Key': secret } }),
    ];
};

/** Uses everything as it is meant to be, and resolves to where what came of it is shown. */
async function use(server, mock) {
    await mock.must(200, 'PATCH', '/settings', { body: { webhook_secrets: [whsec] } });
    const studio = (method, target, body) => request(server, method, `${STUDIO}${target}`, { headers: bearer(key), body });
    const { body: { url } } = await studio('POST', '', job({ prompt: 'Practice a renewal call' }));
    const { body: { id } } = await studio('POST', '/jobs', job({ prompt: 'A call with a director',
        callback_url: `${server.url}/w/acme/_mock/inbox/y`, callback_headers: { 'X-Token': hush, Authorization: `Bearer ${hush}` } }));
    // One whose receiver is not there, and is logged.
    await studio('POST', '/jobs', job({ callback_url: 'http://127.0.0.1:9/', callback_headers: { 'X-Token': hush } }));
    await studio('POST', '/jobs', job({ callback_url: 'http://127.0.0.1:9/x', callback_headers: { 'bad name': hush } }));
    await mock.must(200, 'GET', '/webhooks?status=delivered&min=1&wait=30s');
    await mock.must(200, 'GET', '/webhooks?status=exhausted&min=1&wait=30s');
    await mock.must(200, 'GET', `/jobs/${id}?until=completed&wait=30s`);
    const { body: made } = await studio('GET', `/jobs/${id}`);
    return { pages: [url, made.scenario.url].map((at) => new URL(at).pathname), id };
}

/** Listens to all that happens from here on; what it resolves to gives the text up to one last thing. */
async function listen(server) {
    const wire = await Wire.open(server.port);
    wire.send(message('GET', '/w/acme/_mock/events', { headers: bearer(key) }));
    await until(() => wire.received.includes('text/event-stream'));
    return async () => {
        await request(server, 'GET', `${STUDIO}/jobs/x-stray`, { headers: bearer(key) });
        await until(() => wire.received.includes('x-stray'), { what: 'the last event' });
        wire.destroy();
        return wire.received;
    };
}

for (const format of ['text', 'json'])
    test(`nothing that is written or answered has a secret; the log in ${format}`, async (t) => {
        const directory = await temporaryDirectory(t);
        const db = path.join(directory, 'understudy.db');
        const reports = ['json', 'md', 'xml'].map((kind) => path.join(directory, `report.${kind}`));
        const server = await serve(t, { db, args: [...options(format), ...reports.flatMap((file) => ['--report', file])] });
        const mock = control(server, { prefix: '/w/acme', headers: bearer(token) });
        const heard = await listen(server);
        const { pages, id } = await use(server, mock);
        for (const secret of [token, key, unknown])
            for (const bytes of strays(secret)) {
                const answer = await ask(server.port, bytes);
                assert.ok(answer.status < 500);
                assert.ok(!answer.text.includes(secret), answer.text); // the head
            }

        assertAbsent(await heard(), 'events');
        const shown = ['/settings', '/keys', '/members', '/state', '/requests', '/requests?format=har', '/requests?workspace=_none',
            '/timeline', '/timeline?format=text', `/jobs/${id}/timeline`, '/jobs', `/jobs/${id}`, '/webhooks', '/rules', '/lint', '/lint?workspace=_none',
            '/report', '/report?format=md', '/report?format=junit', '/clock', '/inbox/x', '/info', '/outcomes', '/workspaces'];
        for (const target of shown) {
            const own = target.includes('_none') || ['/info', '/workspaces'].includes(target)
                ? control(server, { headers: bearer(token) }) : mock;
            const { status, text, headers } = await own.send('GET', target);
            assert.equal(status, 200, `${target}: ${text}`);
            // An inbox lists what came as it came, but for what is this server's own.
            assertAbsent(text + JSON.stringify(headers), target, target === '/inbox/x' ? ['control token'] : undefined);
        }
        for (const target of ['/metrics', ...pages, '/healthz', '/openapi/control.yaml'])
            assertAbsent((await request(server, 'GET', target, { headers: bearer(token) })).text, target);
        await server.stop();
        assertAbsent(server.stderr, 'the log');
        assertAbsent(server.stdout, 'standard output');
        assert.match(server.stderr, /a callback was not delivered/);
        assert.ok(server.stderr.split('\n').length > 100, 'the log is at debug level');
        for (const file of reports) assertAbsent(await readFile(file, 'utf8'), file);
    });

test('the store has hashes of keys; what must be kept in clear only its owner can read, and goes with its workspace', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'understudy.db');
    const server = await serve(t, { db, args: options('text') });
    const mock = control(server, { prefix: '/w/acme', headers: bearer(token) });
    await use(server, mock);
    for (const secret of [token, key, unknown])
        for (const bytes of strays(secret).slice(0, -1)) await ask(server.port, bytes);
    const all = async () => {
        const files = (await readdir(directory)).filter((name) => name.startsWith('understudy.db'));
        for (const name of files)
            assert.equal((await stat(path.join(directory, name))).mode & 0o777, 0o600, name);
        return Buffer.concat(await Promise.all(files.map((name) => readFile(path.join(directory, name))))).toString('latin1');
    };
    const text = await all();
    // What the client itself put into a field of a job or a session is its own, and is not among these.
    assertAbsent(text, 'the store', ['key', 'unknown key', 'control token']);
    assert.ok(text.includes(hush) && text.includes(whsec), 'these are kept: a callback is sent after a restart, too');
    await control(server, { headers: bearer(token) }).remove('acme');
    await until(async () => (await sql(db, "SELECT count(*) AS n FROM job"))[0].n === 0, { what: 'its jobs are removed' });
    await server.stop();
    assertAbsent(await all(), 'the store, without the workspace');
});

test('--check-config, and what is said of a bad option, shows none', async () => {
    const run = (args, env = {}) => promisify(execFile)(process.env.UNDERSTUDY_BIN, args, { env: { ...process.env, ...env } })
        .then(({ stdout, stderr }) => stdout + stderr, ({ stdout, stderr }) => stdout + stderr);
    const good = options('text');
    const text = await run(['--check-config', ...good]);
    assert.match(text, /control-token/);
    assertAbsent(text, '--check-config');
    assertAbsent(await run(['--check-config'], { UNDERSTUDY_CONTROL_TOKEN: token, UNDERSTUDY_API_KEY: `${key}=acme` }), 'by the environment');
    for (const args of [['--control-token', `${token} `], ['--control-token', `${token}é`], ['--api-key', `${key}x=acme`], ['--api-key', `${key}=A b`],
        ['--api-key', `${unknown}=acme=acme`], ['--control-tokem', token], [`--control-token=${token}\n`]])
        assertAbsent(await run(['--check-config', ...args]), args.join(' '));
});

test('S1: a 401 tells nothing: the same bytes for whatever is wrong with the key', async (t) => {
    const server = await serve(t, { args: options('text') });
    const mock = control(server, { prefix: '/w/acme', headers: bearer(token) });
    const { id: dead, key: deactivated } = await mock.must(201, 'POST', '/keys', { body: {} }).then((body) => ({ id: body.id, key: body.key ?? body.api_key }));
    await mock.send('DELETE', `/keys/${dead}`);
    const wrong = [{}, { Authorization: '' }, { Authorization: 'Bearer' }, { Authorization: key }, bearer('x'), bearer(`${key}x`), bearer(key.slice(0, -1)),
        bearer(unknown), bearer(deactivated), bearer(token), { Authorization: `Basic ${btoa(key)}` }, { Authorization: `Bearer ${key}, Bearer ${key}` }];
    const calls = [['POST', STUDIO, 'no JSON'], ['POST', `${STUDIO}/jobs`, '{}'], ['GET', `${STUDIO}/jobs/x`], ['DELETE', `${STUDIO}/jobs/x`],
        ['GET', `/w/acme${STUDIO}/jobs/x`], ['GET', `/w/nobody${STUDIO}/jobs/x`], ['GET', `${STUDIO}/nothing`], ['PUT', `${STUDIO}/jobs`]];
    const bodies = new Set();
    for (const [method, target, body] of calls)
        for (const headers of wrong) {
            const answer = await ask(server.port, message(method, target, { headers, body }));
            bodies.add(`${answer.status} ${answer.text.replace(/^(X-Request-Id|Date): .*\r\n/gim, '')}\n${answer.body}`);
        }
    assert.deepEqual(bodies.size, 1, [...bodies].join('\n---\n'));
    assert.match([...bodies][0], /^401 /);
});

test('S24: a key that was pasted into a prompt comes back with it, and names nothing', async (t) => {
    const server = await serve(t, { args: options('text') });
    const mock = control(server, { prefix: '/w/acme', headers: bearer(token) });
    for (const [prompt, name] of [[`Use ${key} for a renewal call with a CFO`, 'Use for Renewal Call with CFO'], [key, 'Scenario'], [token, 'Scenario']]) {
        const { body: { id } } = await request(server, 'POST', `${STUDIO}/jobs`, { headers: bearer(key), body: job({ prompt }) });
        const made = await mock.must(200, 'GET', `/jobs/${id}?until=completed&wait=30s`);
        assert.equal(made.prompt, prompt);
        assert.equal(made.scenario.name, name);
        assertAbsent(JSON.stringify(made.scenario), 'the scenario');
        assert.ok((await request(server, 'GET', new URL(made.scenario.url).pathname)).text.includes(prompt));
    }
    await server.stop();
    assertAbsent(server.stderr, 'the log');
});
