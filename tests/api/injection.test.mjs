// What clients send stays what it is: one event of the log is one line, whatever stands in it, and a
// path names a route or nothing, however it is spelled.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';

import { DEFAULT_KEY, job, request, serve, temporaryDirectory } from './client.mjs';
import { control } from './control.mjs';
import { Wire, ask, bytes, request as message } from './wire.mjs';

const STUDIO = '/rest/v1/scenario-studio';
const bearer = { Authorization: `Bearer ${DEFAULT_KEY}` };
const FORGED = '2026-01-01T00:00:00.000Z error forged event=1';

// As bytes, to be put raw where a header's or a body's text stands, and escaped in a path.
const evil = {
    'a line feed': `\n${FORGED}`,
    'CR LF': `\r\n${FORGED}`,
    'a carriage return': `\r${FORGED}`,
    'ESC': '\x1b[2J\x1b[31m',
    'a bell and a backspace': '\x07\x08\x7f',
    'NUL': 'a\0b',
    'a line separator': '\u2028\u2029\u0085',
    'a turn of direction': '\u202e\u2066x',
    'a control of eight bits': '\u009b31m',
    'invalid UTF-8': Buffer.from([0xff, 0xfe, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf4, 0x90]),
    'a quote and JSON': '","level":"error","event":"forged',
    'fields': ' status=200 level=error',
    'format strings': '%s%n%d{0}${jndi:ldap://x}',
};
const escape = (value) => [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** Sends it and waits until it is over, whatever the answer: some of it is refused as no HTTP. */
async function send(port, ...parts) {
    const wire = await Wire.open(port);
    wire.send(...parts).end();
    await wire.closed();
}

for (const format of ['text', 'json'])
    test(`one line for each event, whatever is in it; the log in ${format}`, async (t) => {
        const server = await serve(t, { args: ['--log-level', 'debug', '--log-format', format, '--queue-time', '0ms', '--processing-time', '0ms'] });
        const mock = control(server);
        for (const value of Object.values(evil)) {
            const raw = Buffer.from(value);
            const encoded = escape(value);
            const lines = (name) => bytes(`GET ${STUDIO}/jobs/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${DEFAULT_KEY}\r\n${name}: `, raw, '\r\nConnection: close\r\n\r\n');
            for (const name of ['X-Request-Id', 'User-Agent', 'Content-Type', 'Origin', 'X-Other', 'Accept'])
                await send(server.port, lines(name));
            await send(server.port, bytes(`GET /x?`, raw, ` HTTP/1.1\r\nHost: localhost\r\n\r\n`));
            await send(server.port, bytes(`GET /x/`, raw, `/y HTTP/1.1\r\nHost: localhost\r\n\r\n`));
            await send(server.port, bytes(raw, ` /x HTTP/1.1\r\nHost: localhost\r\n\r\n`));
            await send(server.port, bytes(`GET /x HTTP/1.1\r\nHost: `, raw, '\r\n\r\n'));
            for (const path of [`/${encoded}`, `${STUDIO}/jobs/${encoded}`, `/chat/${encoded}`, `/scenarios/${encoded}`, `/w/${encoded}/chat/x`,
                `/openapi/${encoded}`, `/_mock/workspaces/${encoded}`, `/_mock/rules/${encoded}`, `/api/projects/${encoded}/scenarios`])
                await ask(server.port, message('GET', path, { headers: bearer }));
            const text = raw.toString('utf8');
            for (const [target, body] of [['/workspaces', { slug: text }], ['/workspaces', { name: text }], ['/rules', { match: {}, label: text, times: 1 }],
                ['/workspaces', { run: text }], ['/members', { email: text }], ['/scenarios', { name: text }], ['/rules', { match: { prompt: text }, label: 'x' }]])
                await mock.send('POST', target, { body, headers: bearer });
            for (const fields of [{ prompt: text }, { context: text }, { request_id: text }, { callback_url: `http://127.0.0.1:9/${text}` },
                { callback_url: 'http://127.0.0.1:9/', callback_headers: { 'X-A': text } }])
                await request(server, 'POST', `${STUDIO}/jobs`, { headers: bearer, body: job(fields) });
        }
        await server.stop();
        const lines = server.stderr.split('\n');
        assert.equal(lines.pop(), '');
        assert.ok(lines.length > 200, `${lines.length} lines`);
        for (const line of lines) {
            // No control, no character that ends a line or turns one, nothing that is no UTF-8.
            assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffd]/u, JSON.stringify(line));
            if (format === 'text') {
                assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn |info |debug) [a-z]/, line);
                // Outside of quotes stand the server's own fields alone.
                const plain = line.replace(/"(\\.|[^"\\])*"/g, '""');
                assert.ok((plain.match(/ (status|level)=/g) ?? []).length <= 1 && !/forged/.test(plain), line);
            } else {
                const { level, event } = JSON.parse(line);
                assert.ok(['error', 'warn', 'info', 'debug'].includes(level) && !/forged/.test(event), line);
            }
        }
    });

const FILES = /root:|BEGIN|CREATE TABLE|SQLite format|project\(|uid=/;
const climbs = ['..', '../..', '../../../../../../etc/passwd', 'etc/passwd', '..\\..\\etc\\passwd', './x', 'understudy.db', 'file:///etc/passwd', '~root'];
const spellings = [(s) => s, encodeURIComponent, escape, (s) => escape(s).replaceAll('%', '%25'), (s) => s.replaceAll('.', '%2e'),
    (s) => s.replaceAll('/', '%2F').replaceAll('\\', '%5C'), (s) => s.replaceAll('.', '%c0%ae'), (s) => `${s}%00.yaml`, (s) => s.replaceAll('.', '%u002e')];
const places = ['/', '/openapi/', '/chat/', '/scenarios/', '/w/', '/w/acme-corp/chat/', '/w/acme-corp/scenarios/', '/w/acme-corp/openapi/', '/_mock/', '/_mock/inbox/',
    '/_mock/jobs/', '/_mock/requests/', '/_mock/rules/', '/_mock/workspaces/', '/_mock/webhooks/', '/api/projects/', '/api/projects/default/scenarios/', `${STUDIO}/jobs/`,
    '/assets/', '/static/', '/openapi/studio.yaml/', '/rest/v1/'];

test('no spelling of a path leads to a file, nor out of a workspace', async (t) => {
    const directory = await temporaryDirectory(t);
    const server = await serve(t, { db: `${directory}/understudy.db` });
    const before = await readdir(directory);
    const known = ['studio', 'scenarios', 'control'].map((name) => `/openapi/${name}.yaml`);
    let count = 0;
    const wire = { socket: await Wire.open(server.port) };
    for (const place of places)
        for (const climb of climbs)
            for (const spell of spellings) {
                const target = place + spell(climb);
                if (wire.socket.over) wire.socket = await Wire.open(server.port);
                const answer = await wire.socket.send(message('GET', target, { headers: bearer })).response();
                if (answer?.headers.connection === 'close') { wire.socket.destroy(); wire.socket = await Wire.open(server.port); }
                count += 1;
                assert.ok(answer, target);
                // An inbox and a project may have any name; all else is unknown.
                const any = /^\/(_mock\/inbox|api\/projects)\//.test(place);
                assert.ok([400, 404, 405, 422].includes(answer.status) || (any && answer.status === 200), `${target}: ${answer.status} ${answer.body}`);
                assert.doesNotMatch(String(answer.body), FILES, target);
            }
    wire.socket.destroy();
    assert.ok(count >= 1000, `${count} paths`);
    for (const target of known)
        assert.equal((await ask(server.port, message('GET', target))).status, 200);
    for (const target of ['/openapi/../openapi/studio.yaml', '/openapi/./studio.yaml', '//openapi/studio.yaml', '/openapi//studio.yaml', '/w/acme-corp/../../openapi/studio.yaml',
        '/openapi/studio%2Eyaml/..', '/openapi%2fstudio.yaml'])
        assert.equal((await ask(server.port, message('GET', target))).status, 404, target);
    // What is decoded is one segment's text, and stays so.
    assert.equal((await ask(server.port, message('GET', '/openapi/studio%2Eyaml'))).status, 200);
    assert.deepEqual(await readdir(directory), before);
});
