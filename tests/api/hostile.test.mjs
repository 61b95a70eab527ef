// Framing and headers that two parties could read differently. Each case is followed, in the same
// write, by a second request: it must never be answered where the first one's end is in doubt. What
// was answered is told by the bytes that come back and, for certain, by the server's access log.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { CARRYING, CUT, GET, HIDING, HOST, PLAIN, POST, REFUSED, UNFINISHED } from './framing.mjs';
import { Wire, ask, bytes, json, parseResponses, request } from './wire.mjs';

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
                assert.ok(first.status === 400 || /transfer-encoding/i.test(input), `${first.text}`);
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

    const hiddenAt = (place) => `GET /smuggled/${place} HTTP/1.1\r\n${HOST}\r\n`;

    for (const [i, [name, input]] of Object.entries(HIDING(hiddenAt('hiding'))).entries())
        it(`H5: a request hidden by ${name}: not found`, async () => {
            await clearProject();
            const sent = await (await provoke(input, `/smuggled/hiding/${i}`)).closed();
            const { responses } = parseResponses(sent);
            assert.ok(responses.length <= 1 && responses.every(({ status }) => status >= 400), `${sent}`);
            await assertNothingMade();
            await assertAlive(name);
        });

    for (const [i, [name, input]] of Object.entries(CARRYING(hiddenAt('carried'))).entries())
        it(`H5: a request in the body of ${name}: not found`, async () => {
            const bodiless = name.startsWith('HEAD');
            const wire = await provoke(input, `/next/carrying/${i}`);
            let first = await wire.response({ bodiless });
            if (first?.status === 100) first = await wire.response({ bodiless });
            assert.ok(first?.status >= 200, `${first?.status}`);
            if (first.headers.connection !== 'close')
                assert.equal((await wire.response()).status, 404);
            assert.equal((await wire.end().closed()).toString('latin1'), '');
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
