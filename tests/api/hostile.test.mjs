// Framing and headers that two parties could read differently. Each case is followed, in the same
// write, by a second request: it must never be answered where the first one's end is in doubt. What
// was answered is told by the bytes that come back and, for certain, by the server's access log.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { Wire, ask, bytes, json, parseResponses, request } from './wire.mjs';

const HOST = 'Host: a\r\n';
const BODY = '{"name":"x"}';
const GET = (...fields) => `GET /healthz HTTP/1.1\r\n${HOST}${fields.map((f) => `${f}\r\n`).join('')}\r\n`;
const POST = (fields, body = BODY, version = '1.1') =>
    `POST /api/projects/hostile/scenarios HTTP/${version}\r\n${HOST}`
    + `${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`;
const CHUNKED = (body, field = 'Transfer-Encoding: chunked') => POST([field], body);
const LAST = '0\r\n\r\n';
const WHOLE = `C\r\n${BODY}\r\n${LAST}`;

// Answered 400 by this server, in its own words, and the connection closed (H5).
const REFUSED = {
    'both framings': POST(['Content-Length: 5', 'Transfer-Encoding: chunked'], LAST),
    'both framings, the other way around': POST(['Transfer-Encoding: chunked', 'Content-Length: 5'], LAST),
    'two equal lengths': POST(['Content-Length: 12', 'Content-Length: 12']),
    'two different lengths': POST(['Content-Length: 12', 'Content-Length: 5']),
    'two lengths, the second 0': POST(['Content-Length: 12', 'Content-Length: 0']),
    'an unknown encoding': CHUNKED(LAST, 'Transfer-Encoding: xchunked'),
    'gzip as encoding': CHUNKED(LAST, 'Transfer-Encoding: gzip'),
    'gzip, chunked': CHUNKED(LAST, 'Transfer-Encoding: gzip, chunked'),
    'chunked, identity': CHUNKED(LAST, 'Transfer-Encoding: chunked, identity'),
    'chunked, chunked': CHUNKED(LAST, 'Transfer-Encoding: chunked, chunked'),
    identity: CHUNKED('', 'Transfer-Encoding: identity'),
    'an empty encoding': CHUNKED('', 'Transfer-Encoding:'),
    'an encoding in quotes': CHUNKED(LAST, 'Transfer-Encoding: "chunked"'),
    'an encoding with a parameter': CHUNKED(LAST, 'Transfer-Encoding: chunked;q=1'),
    'an encoding behind a vertical tab': CHUNKED(LAST, 'Transfer-Encoding: \x0bchunked'),
    'chunked twice': POST(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], LAST),
    'chunked in HTTP/1.0': POST(['Transfer-Encoding: chunked'], LAST, '1.0'),
    'no Host': 'GET /healthz HTTP/1.1\r\n\r\n',
    'two Hosts': GET('Host: b'),
    'two equal Hosts': GET('Host: a'),
    'an empty Host': 'GET /healthz HTTP/1.1\r\nHost:\r\n\r\n',
    'a Host of blanks': 'GET /healthz HTTP/1.1\r\nHost:   \r\n\r\n',
    ...Object.fromEntries(['a@b', 'a b', 'a/b', 'a,b', 'a:b', 'a:65536', 'a:-1', '[::1', '[]', '::1', 'a%41',
        'a\\b', 'a?b', '"a"', 'a:1:2', '\xe9', 'a\tb', `${'a'.repeat(301)}`].map((host) =>
        [`Host ${JSON.stringify(host.slice(0, 9))}`, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`])),
    'no Host in a POST': `POST /api/projects/hostile/scenarios HTTP/1.1\r\nContent-Length: 12\r\n\r\n${BODY}`,
    'a space before the colon': GET('X : y'),
    'a tab before the colon': GET('X\t: y'),
    'a length with a space before the colon': POST(['Content-Length : 12']),
    'an encoding with a space before the colon': CHUNKED(LAST, 'Transfer-Encoding : chunked'),
    'both framings, one with a space': POST(['Content-Length: 12', 'Transfer-Encoding : chunked']),
    'a name that is no token': GET('a(b): x'),
    'a name with a space': GET('a b: x'),
    'a name with a control character': GET('a\x01b: x'),
    'a name that is not ASCII': GET('\xe9: x'),
    'a control character in a value': GET('X: a\x01b'),
    'DEL in a value': GET('X: a\x7fb'),
    'a bare CR in a value': GET('X: a\rb'),
    'a header behind a bare CR': POST(['X: a\rTransfer-Encoding: chunked', 'Content-Length: 12']),
    'an end of headers made of bare CR': `GET /healthz HTTP/1.1\r\n${HOST}X: a\r\r`,
    'a folded line': GET('X: a\r\n b'),
    'a line folded by a tab': GET('X: a\r\n\tb'),
    'a folded line in front': `GET /healthz HTTP/1.1\r\n X: y\r\n${HOST}\r\n`,
    'a folded Host': 'GET /healthz HTTP/1.1\r\nHost: a\r\n b\r\n\r\n',
    'a folded length': POST(['Content-Length:\r\n 12']),
    'a length folded in the middle': POST(['Content-Length: 1\r\n 2']),
    'a length in a folded line': POST(['X: a\r\n Content-Length: 12', 'Content-Length: 12']),
    'a folded encoding': CHUNKED(LAST, 'Transfer-Encoding:\r\n chunked'),
    'a folded encoding beside a length': POST(['Content-Length: 12', 'Transfer-Encoding:\r\n chunked']),
    'a NUL in a value': GET('X: a\0b', 'Y: c'),
    'a NUL in the last value': GET('X: a\0b'),
    'a NUL in Host': 'GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n',
    'a NUL in a length': POST(['Content-Length: 12\x005']),
    'a NUL in an encoding': CHUNKED(LAST, 'Transfer-Encoding: chunked\0x'),
    'a NUL in the target': `GET /heal\0thz HTTP/1.1\r\n${HOST}\r\n`,
    'the escape of a NUL': `GET /heal%00thz HTTP/1.1\r\n${HOST}\r\n`,
    'an escape that is none': `GET /heal%zz HTTP/1.1\r\n${HOST}\r\n`,
    'a raw control character in the target': `GET /heal\x01thz HTTP/1.1\r\n${HOST}\r\n`,
    'DEL in the target': `GET /heal\x7fthz HTTP/1.1\r\n${HOST}\r\n`,
    'a tab in the target': `GET /heal\tthz HTTP/1.1\r\n${HOST}\r\n`,
    'a space in the target': `GET /heal thz HTTP/1.1\r\n${HOST}\r\n`,
    'a bare CR in the target': `GET /healthz\rX HTTP/1.1\r\n${HOST}\r\n`,
    'a fragment': `GET /healthz#x HTTP/1.1\r\n${HOST}\r\n`,
    'a fragment in the query': `GET /healthz?a#x HTTP/1.1\r\n${HOST}\r\n`,
    'an absolute form for another host': `GET http://b/healthz HTTP/1.1\r\n${HOST}\r\n`,
    'an absolute form for another port': `GET http://a:81/healthz HTTP/1.1\r\n${HOST}\r\n`,
    'an absolute form with user info': `GET http://u@a/healthz HTTP/1.1\r\n${HOST}\r\n`,
    'an absolute form of another scheme': `GET ftp://a/healthz HTTP/1.1\r\n${HOST}\r\n`,
    'a target that is no path': `GET healthz HTTP/1.1\r\n${HOST}\r\n`,
    'CONNECT': 'CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n',
    'HTTP/1.2': `GET /healthz HTTP/1.2\r\n${HOST}\r\n`,
    'a method that is no token': `G(T /healthz HTTP/1.1\r\n${HOST}\r\n`,
    'a method with a control character': `G\x01T /healthz HTTP/1.1\r\n${HOST}\r\n`,
    'a body in front of a request': `${BODY}${GET()}`,
};

// libmicrohttpd answers these itself, in HTML, or just closes; never more than that.
const CUT = {
    'a length with a sign': POST(['Content-Length: +12']),
    'a negative length': POST(['Content-Length: -1']),
    'a hexadecimal length': POST(['Content-Length: 0xC']),
    'a list of lengths': POST(['Content-Length: 12,12']),
    'a length with a blank': POST(['Content-Length: 1 2']),
    'a length beyond 2^64': POST(['Content-Length: 18446744073709551628']),
    'an empty length': POST(['Content-Length:']),
    'a line without a colon': GET('nonsense'),
    'a line without a colon in front': `GET /healthz HTTP/1.1\r\nnonsense\r\n${HOST}\r\n`,
    'a NUL in a name': POST(['Content-Length: 12', 'Transfer\0-Encoding: chunked']),
    'HTTP/0.9': 'GET /healthz\r\n',
    'HTTP/0.9 with an empty line': 'GET /healthz\r\n\r\n',
    'HTTP/2.0': `GET /healthz HTTP/2.0\r\n${HOST}\r\n`,
    'the HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'no HTTP version': `GET /healthz HTTPX\r\n${HOST}\r\n`,
    'a version in lower case': `GET /healthz http/1.1\r\n${HOST}\r\n`,
    'a blank behind the version': `GET /healthz HTTP/1.1 \r\n${HOST}\r\n`,
    'no method': ` /healthz HTTP/1.1\r\n${HOST}\r\n`,
    'a word alone': 'GET\r\n\r\n',
    'a chunk size with 0x': CHUNKED(`0xC\r\n${BODY}\r\n${LAST}`),
    'a chunk size with a sign': CHUNKED(`+C\r\n${BODY}\r\n${LAST}`),
    'a negative chunk size': CHUNKED(`-C\r\n${BODY}\r\n${LAST}`),
    'a chunk size behind a blank': CHUNKED(` C\r\n${BODY}\r\n${LAST}`),
    'an empty chunk size': CHUNKED(`\r\n${BODY}\r\n${LAST}`),
    'an extension without a size': CHUNKED(`;a\r\n${BODY}\r\n${LAST}`),
    'a chunk size beyond 2^64': CHUNKED(`10000000000000000C\r\n${BODY}\r\n${LAST}`),
    'a chunk longer than its size': CHUNKED(`C\r\n${BODY}zz\r\n${LAST}`),
    'bare CR around a chunk': CHUNKED(`C\r${BODY}\r0\r\r`),
    'a trailer without a colon': CHUNKED(`C\r\n${BODY}\r\n0\r\nnonsense\r\n\r\n`),
    'a header of 40 KB': GET(`X: ${'a'.repeat(40_000)}`),
    '2,000 headers': GET(...Array(2000).fill('X: a')),
    'a target of 40 KB': `GET /${'a'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`,
    'a method of 40 KB': `${'G'.repeat(40_000)} /healthz HTTP/1.1\r\n${HOST}\r\n`,
};

// Unusual, but with one meaning: answered, and the request behind is its own, whole. `status` of the
// answer. Where it may also be refused, it is then as above.
const PLAIN = {
    'a chunk extension of 8 KiB': [201, CHUNKED(`C;${'e'.repeat(8192)}\r\n${BODY}\r\n${LAST}`)],
    'a length in the trailer': [201, CHUNKED(`C\r\n${BODY}\r\n0\r\nContent-Length: 5\r\n\r\n`)],
    'an encoding in the trailer': [201, CHUNKED(`C\r\n${BODY}\r\n0\r\nTransfer-Encoding: x\r\n\r\n`)],
    'chunked in another case': [201, CHUNKED(WHOLE, 'TRANSFER-encoding: ChunKed')],
    'leading zeros in a chunk size': [201, CHUNKED(`000000C\r\n${BODY}\r\n000\r\n\r\n`)],
    'a small chunk size in lower case': [201, CHUNKED(`c\r\n${BODY}\r\n${LAST}`)],
    'leading zeros in a length': [201, POST(['Content-Length: 0012'])],
    'a header that only looks like a length': [400, POST(['Content_Length: 12'], '')],
    'a GET with a body': [200, `GET /healthz HTTP/1.1\r\n${HOST}Content-Length: 12\r\n\r\n${BODY}`],
    'the absolute form': [200, `GET http://a/healthz HTTP/1.1\r\n${HOST}\r\n`],
    'the absolute form in another case': [200, `GET HTTP://A/healthz HTTP/1.1\r\n${HOST}\r\n`],
    TRACE: [405, `TRACE /healthz HTTP/1.1\r\n${HOST}Cookie: secret\r\n\r\n`],
    'a method in lower case': [405, `get /healthz HTTP/1.1\r\n${HOST}\r\n`],
    'HEAD in lower case': [405, `head /healthz HTTP/1.1\r\n${HOST}\r\n`],
    'OPTIONS *': [404, `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
    'empty lines in front': [200, `\r\n\r\n${GET()}`],
    'values of tabs and Latin-1': [200, GET('X: a\tb\xe9', 'Y:', 'Z:\t \tz \t')],
    'line feeds alone': [[200, 400], 'GET /healthz HTTP/1.1\nHost: a\nX: y\n\n'],
    'line feeds alone around a chunk': [[201, 400], CHUNKED(`C\n${BODY}\n0\n\n`)],
    'a header without a name': [[200, 400], GET(': x')],
    'two blanks behind the method': [[200, 400], `GET  /healthz HTTP/1.1\r\n${HOST}\r\n`],
};

// No end in sight: nothing is answered, nothing is done, also when the client then closes.
const UNFINISHED = {
    'a truncated body': POST(['Content-Length: 500']),
    'a truncated chunk': CHUNKED('FFF\r\n{"name":"x"}'),
    'chunks without the last': CHUNKED(`C\r\n${BODY}\r\n`),
    'a chunk of 2^64 - 1 bytes': CHUNKED(`ffffffffffffffff\r\n${BODY}`),
    'a chunk of 2^60 + 12 bytes': CHUNKED(`100000000000000C\r\n${BODY}`),
    'half a header': `GET /healthz HTTP/1.1\r\n${HOST}X: `,
    'half a target': 'GET /heal',
};

let server;

async function assertAlive(what) {
    const answer = await ask(server.port, request('GET', '/healthz'));
    assert.equal(answer?.status, 200, `after ${what}`);
    assert.deepEqual(json(answer), { status: 'ok' });
}

/** The case, then the request that must not, or must, be answered, in one write. */
async function provoke(input, marker) {
    const wire = await Wire.open(server.port);
    return wire.send(input, `GET ${marker} HTTP/1.1\r\n${HOST}\r\n`);
}

async function clearProject() {
    const base = '/api/projects/hostile/scenarios';
    for (const { id } of json(await ask(server.port, request('GET', base))))
        assert.equal((await ask(server.port, request('DELETE', `${base}/${id}`))).status, 204);
}

async function assertNothingMade() {
    const list = await ask(server.port, request('GET', '/api/projects/hostile/scenarios'));
    assert.deepEqual(json(list), []);
}

describe('Hostile framing and headers', () => {
    before(async () => { server = await startServer({ args: ['--log-level', 'debug'] }); });
    // By the end everything that was answered, to whatever path, has left its line.
    after(async () => {
        await server.stop();
        const seen = [...server.stderr.matchAll(/\/smuggled\/\S*/g)].map(([path]) => path);
        assert.deepEqual(seen, [], 'requests that were smuggled in');
        assert.ok(server.stderr.includes('/next/'), 'the log shows what is answered');
    });

    for (const [i, [name, input]] of Object.entries(REFUSED).entries())
        it(`H5: ${name}: 400, closed`, async () => {
            await clearProject();
            const wire = await provoke(input, `/smuggled/refused/${i}`);
            const answer = await wire.response();
            assert.equal(answer?.status, 400, `${answer?.body}`);
            assert.equal(answer.headers.connection, 'close', `${answer.body}`);
            assert.match(answer.headers['content-type'], /^application\/(problem\+)?json/);
            const { error, detail } = json(answer);
            assert.match(error ?? detail, /^[A-Z].+/);
            assert.equal((await wire.closed()).toString('latin1'), '');
            await assertNothingMade();
            await assertAlive(name);
        });

    for (const [i, [name, input]] of Object.entries(CUT).entries())
        it(`H5: ${name}: refused, closed`, async () => {
            await clearProject();
            const sent = await (await provoke(input, `/smuggled/cut/${i}`)).closed();
            const text = sent.toString('latin1');
            // 0.9.75 may send one error's header twice; another status would be another answer.
            const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
            assert.ok(new Set(statuses).size <= 1, text);
            if (statuses.length) assert.match(statuses[0], /^(4\d\d|50[05])$/);
            assert.ok(!text.includes('/smuggled/'), text);
            await assertNothingMade();
            await assertAlive(name);
        });

    for (const [i, [name, [status, input]]] of Object.entries(PLAIN).entries())
        it(`H5: ${name}: one meaning`, async () => {
            await clearProject();
            const wire = await provoke(input, `/next/${i}`);
            const first = await wire.response();
            assert.ok([status].flat().includes(first?.status), `${first?.status} ${first?.body}`);
            if (first.headers.connection === 'close') {
                assert.equal(first.status, 400);
                assert.equal((await wire.closed()).length, 0);
            } else {
                const second = await wire.response();
                assert.equal(second.status, 404);
                assert.equal(json(second).type, 'urn:understudy:not_found');
                assert.equal((await wire.end().closed()).length, 0);
            }
            await assertAlive(name);
        });

    for (const [i, [name, input]] of Object.entries(UNFINISHED).entries())
        it(`H5: ${name}: no answer, no deed`, async () => {
            await clearProject();
            const wire = await Wire.open(server.port);
            const marker = / (body|of 2)|ed chunk/.test(name) ? `GET /smuggled/unfinished/${i} HTTP/1.1\r\n${HOST}\r\n` : '';
            await wire.flush(input, marker);
            await assertAlive(name);
            wire.destroy();
            assert.equal(wire.received, '');
            await assertNothingMade();
            await assertAlive(name);
        });

    it('H5: a TLS hello is closed', async () => {
        const hello = bytes('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', Buffer.alloc(32, 0xab),
            '\x20', Buffer.alloc(32, 0xcd), '\x00\x02\x13\x01\x01\x00\r\n\r\n');
        const sent = await (await provoke(hello, '/smuggled/tls')).closed();
        assert.ok(!/HTTP\/1\.1 [23]/.test(sent.toString('latin1')));
        await assertAlive('a TLS hello');
    });

    it('H5: random bytes do not bring it down', async () => {
        let state = 12345; // a fixed sequence, so that a failure can be had again
        const next = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
        for (let round = 0; round < 100; round += 1) {
            const noise = Buffer.from(Array.from({ length: next() % 900 }, () => next() & 0xff));
            const wire = await Wire.open(server.port);
            await wire.flush(round % 2 ? `GET /${round} HTTP/1.1\r\n` : '', noise);
            wire.destroy();
        }
        await assertAlive('random bytes');
    });

    it('H5: the same, one byte at a time', async () => {
        // Without bodies: what still comes when the connection closes could take the answer with it.
        for (const input of [POST(['Content-Length: 5', 'Transfer-Encoding: chunked'], ''),
            POST(['Content-Length: 12', 'Content-Length: 12'], ''), GET('Host: b')]) {
            const wire = await Wire.open(server.port);
            for (const byte of bytes(input)) await wire.flush(Buffer.of(byte));
            assert.equal((await wire.response()).status, 400);
            assert.equal((await wire.closed()).length, 0);
        }
        const wire = await Wire.open(server.port);
        for (const byte of bytes(GET('X: y'))) await wire.flush(Buffer.of(byte));
        assert.equal((await wire.response()).status, 200);
        wire.destroy();
    });

    it('H5, S1: a request in doubt is refused before the key is looked at, and never acted on', async () => {
        const jobs = '/rest/v1/scenario-studio/jobs';
        for (const fields of ['Content-Length: 5\r\nTransfer-Encoding: chunked', 'Host: b']) {
            const wire = await Wire.open(server.port);
            const head = `POST ${jobs} HTTP/1.1\r\n${HOST}${fields}\r\n\r\n`;
            const answer = await wire.send(head).response();
            assert.equal(answer.status, 400);
            assert.equal(json(answer).error.type, 'invalid_request');
            assert.equal((await wire.closed()).length, 0);
        }
    });
});
