// JSON that wants to confuse, and text that wants to be anything but text.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { request, scenarios, studio } from './client.mjs';

const DEPTH_MAX = 2048;
const TEXTS = [
    "'; DROP TABLE scenario; --", '" OR ""="', '`id`; $(reboot) | rm -rf / &', '<script>alert(1)</script>',
    '&lt;&amp;&#0;', '{{7*7}}${7*7}<%= 7*7 %>', '%s%s%s%n%x%99999d', '../../../../etc/passwd',
    '..\\..\\windows\\system32', 'C:\\con', '\\u0041\\n\\\\', '\\', '"', '""', '\u0001\u0002\u001f\u007f',
    '\r\nSet-Cookie: a=b\r\n\r\n', '\t tab \t', ' ', '   ', '\u00a0\u2003\u3000', '\u200b\u200c\u200d\u2060\ufeff',
    '\u202e\u202dturned\u2066\u2069', '\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627',
    'e\u0301 \u00e9 a\u030a \u00e5 \u1100\u1161 \uac00', `Z${'\u0335\u0327\u0301'.repeat(200)}`,
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u{1f1e9}\u{1f1ea} \u{10ffff} \ufffe\uffff\ufffd',
    '\u0080\u07ff\u0800\ud7ff\ue000\u{10000}', 'null', 'undefined', 'NaN', '0', '-1', 'true', '[]', '{}',
    '1e400', 'a'.repeat(50_000), '\u{1f600}'.repeat(10_000), 'http://127.0.0.1/', 'data:text/html,x',
    '\u2028\u2029', 'I\u0130i\u0131', '\ufb03\u00df\u1e9e', '%00%0a', '-- -', 'x\u0001\u001b[31mred\u001b[0m',
];

let server;
let api;

/** Sends the bytes to all that read a body; checks that each answers 400 in its shape. */
async function assertRefused(body, what) {
    const job = await studio(server).createJob(body);
    const session = await studio(server).createSession(body);
    for (const answer of [job, session]) {
        assert.equal(answer.status, 400, `${what}: ${answer.text}`);
        assert.equal(answer.body.error.type, 'invalid_request');
        assert.equal(answer.body.error.code, 'invalid_json', what);
    }
    const { body: [first] } = await api.list();
    for (const answer of [await api.create(body), await api.update(first.id, body)]) {
        assert.equal(answer.status, 400, `${what}: ${answer.text}`);
        assert.deepEqual(Object.keys(answer.body), ['error']);
    }
    assert.deepEqual((await api.list()).body, [first], what);
    assert.equal((await request(server, 'GET', '/healthz')).status, 200, what);
}

const nested = (depth, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth);

describe('Hostile JSON and text', () => {
    before(async () => {
        server = await startServer();
        api = scenarios(server, { project: 'hostile' });
        assert.equal((await api.create({ name: 'first' })).status, 201);
    });
    after(() => server.stop());

    const quoted = (...inside) => Buffer.concat([Buffer.from('{"name":"'),
        Buffer.from(inside), Buffer.from('"}')]);
    const BROKEN = {
        nothing: '', 'blanks alone': ' \t\r\n', 'a BOM': '\ufeff{"name":"x"}', 'a scalar': '"x"', 'a number': '1',
        'an array': '[{"name":"x"}]', null: 'null', 'trailing data': '{"name":"x"} x', 'two values': '{"name":"x"}{"name":"y"}',
        'a NUL behind': '{"name":"x"}\0', 'a comment': '{"name":"x"/**/}', 'a line comment': '{"name":"x"}//', NaN: '{"name":NaN}',
        Infinity: '{"name":-Infinity}', '1e400': '{"name":"x","a":1e400}', 'beyond 64 bits': '{"name":"x","a":9223372036854775808}',
        'a leading zero': '{"name":"x","a":0123}', 'a plus': '{"name":"x","a":+1}', 'a trailing comma': '{"name":"x",}',
        'single quotes': "{'name':'x'}", 'the escape of NUL': '{"name":"x\\u0000y"}', 'the escape of NUL in a key': '{"name":"x","a\\u0000b":1}',
        'a raw NUL': quoted(0x78, 0, 0x79), 'a raw control character': quoted(0x78, 1), 'a raw line feed': quoted(0x0a),
        'a lone high surrogate': '{"name":"\\ud800"}', 'a lone low surrogate': '{"name":"\\udc00"}',
        'a high surrogate and a letter': '{"name":"\\ud800x"}', 'surrogates the wrong way around': '{"name":"\\udc00\\ud800"}',
        'two high surrogates': '{"name":"\\ud800\\ud800"}', 'a lone surrogate in a key': '{"name":"x","\\udfff":1}',
        'an overlong slash': quoted(0xc0, 0xaf), 'an overlong NUL': quoted(0xc0, 0x80), 'overlong in three': quoted(0xe0, 0x80, 0xaf),
        'overlong in four': quoted(0xf0, 0x80, 0x80, 0xaf), 'a truncated character': quoted(0xc3), 'truncated in three': quoted(0xe4, 0xb8),
        'truncated in four': quoted(0xf0, 0x9f, 0x98), 'a stray continuation': quoted(0x80), 'a surrogate in UTF-8': quoted(0xed, 0xa0, 0x80),
        'beyond U+10FFFF': quoted(0xf4, 0x90, 0x80, 0x80), 'five bytes': quoted(0xf8, 0x88, 0x80, 0x80, 0x80), 'FF': quoted(0xff),
        'Latin-1': quoted(0xe9), 'UTF-16': Buffer.from('{"name":"x"}', 'utf16le'),
        'no UTF-8 in an unknown field': Buffer.concat([Buffer.from('{"name":"x","a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
        'depth 100 without an end': `{"name":"x","a":${'['.repeat(100)}`, 'depth 100,000': nested(100_000),
        'depth 100,000 of objects': nested(100_000, '{"a":', '}').replace('{"a":}', '{"a":1}'),
        'a megabyte of [': '['.repeat(1024 * 1024), 'a megabyte of {': '{"a":'.repeat(200_000), 'a megabyte of "': '"'.repeat(1024 * 1024),
        'a megabyte of blanks': ' '.repeat(1024 * 1024), 'depth 2,049': `{"name":"x","evaluators":[{"v":${nested(DEPTH_MAX - 2)}}]}`,
        'depth 2,049 in an unknown field': `{"name":"x","a":${nested(DEPTH_MAX)}}`,
    };
    for (const [name, body] of Object.entries(BROKEN))
        it(`H2, S4, E11: ${name} is 400`, () => assertRefused(body, name));

    it('H2: depth 100 and 2,048 pass and come back', async () => {
        for (const depth of [100, DEPTH_MAX]) {
            // The body, the array and its object are three.
            for (const value of [nested(depth - 3), `${'{"a":'.repeat(depth - 4)}{}${'}'.repeat(depth - 4)}`]) {
                const project = scenarios(server, { project: `depth-${depth}-${value[0] === '['}` });
                const answer = await project.create(`{"name":"x","evaluators":[{"v":${value}}]}`);
                assert.equal(answer.status, 201, answer.text);
                assert.ok(answer.text.includes(`"evaluators":[{"v":${value}}]`));
                assert.equal((await project.list()).text, `[${answer.text}]`);
            }
        }
    });

    it('H2: 100,000 keys, unknown or inside an evaluator, are taken', async () => {
        const project = scenarios(server, { project: 'keys' });
        const keys = Array.from({ length: 100_000 }, (_, i) => `"${i.toString(36)}":1`).join(',');
        assert.equal((await project.create(`{${keys},"name":"a"}`)).status, 201);
        const answer = await project.create(`{"name":"b","evaluators":[{${keys}}]}`);
        assert.equal(answer.status, 201);
        assert.ok(answer.text.includes(`"evaluators":[{${keys}}]`));
    });

    it('H2: 25,000 keys that are alike, and one key 60,000 times, are taken', async () => {
        const project = scenarios(server, { project: 'alike' });
        // Keys that collide under common unseeded hashes: made of two blocks of equal sums.
        const alike = Array.from({ length: 60_000 }, (_, i) =>
            `"${i.toString(2).padStart(16, '0').replaceAll('0', 'Aa').replaceAll('1', 'BB')}":0`);
        const body = `{"name":"x",${alike.slice(0, 25_000).join(',')}}`;
        assert.ok(body.length < 1024 * 1024);
        assert.equal((await project.create(body)).status, 201);
        const same = `{${'"name":"y",'.repeat(60_000)}"name":"z"}`;
        assert.equal((await project.create(same)).body.name, 'z');
    });

    it('E6, H2: text of every kind comes back byte for byte, from every field', async () => {
        const project = scenarios(server, { project: 'text' });
        for (const [i, text] of TEXTS.entries()) {
            const fields = { name: `${i} ${text}`, instructions: text,
                messages: [{ role: text, content: text, [`k${text}`]: [text] }], successCriteria: text,
                failureCriteria: text, evaluators: [{ [`${text}`]: text, b: { [`${text}`]: text } }],
                personaIds: [text, text] };
            const created = await project.create(fields);
            assert.equal(created.status, 201, created.text);
            const { id, createdAt, updatedAt, failureCriteriaMode, ...back } = created.body;
            assert.deepEqual(back, fields);
            const got = await project.get(id);
            assert.ok(got.bytes.equals(created.bytes));
            // Nothing is escaped that need not be: the text itself stands in the answer.
            assert.ok(got.text.includes(`"instructions":${JSON.stringify(text)
                .replace(/[\u007f]/g, (c) => c)},`), text);
            const updated = await project.update(id, { name: `new ${i} ${text}`, instructions: text });
            assert.equal(updated.body.name, `new ${i} ${text}`);
            const again = await project.create({ name: `new ${i} ${text}` });
            assert.deepEqual(again.body, { error: `Scenario with name "new ${i} ${text}" already exists` });
        }
        assert.equal((await project.list()).body.length, TEXTS.length);
    });

    it('E10: text of every kind is a project id', async () => {
        for (const text of TEXTS.filter((t) => t.length < 1000 && !t.includes('\0'))) {
            const project = scenarios(server, { project: `text-${encodeURIComponent(text)}` });
            assert.equal((await project.list()).text, '[]', text);
            assert.equal((await project.create({ name: text })).body.name, text);
            assert.equal((await project.list()).body.length, 1, text);
        }
    });

    it('S9, S16, H2: Studio errors show text of every kind as it was given', async () => {
        const client = studio(server);
        for (const text of TEXTS.filter((t) => t.length < 1000)) {
            const { body } = await client.getJob(encodeURIComponent(text));
            assert.equal(body.error.message, `Job not found: ${text}`);
            const remix = await client.createJob({ user_email: 'jane@acme.com', prompt: 'p',
                scenario_slug: text });
            assert.equal(remix.status, 404);
            assert.equal(remix.body.error.message, `Scenario not found: ${text}`);
        }
    });
});
