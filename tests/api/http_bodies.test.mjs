// Bodies: how long they may be, how they are framed, and what becomes of the connection.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { DEFAULT_KEY, DEFAULT_MEMBER, serve } from './client.mjs';
import { Wire, ask, bytes, chunked, json, request } from './wire.mjs';

const KEY = `Authorization: Bearer ${DEFAULT_KEY}`;
const WRONG = 'Authorization: Bearer wrong';
const MIB = 1024 * 1024;
const JOBS = '/rest/v1/scenario-studio/jobs';
const CHUNKED = 'Transfer-Encoding: chunked';

let server;
let count = 0;

/** A JSON body of exactly `size` bytes that makes a scenario. */
function scenarioOf(size) {
    const empty = '{"name":"x","instructions":""}';
    return Buffer.from(`${empty.slice(0, -2)}${'i'.repeat(size - empty.length)}"}`);
}

/** A JSON body of exactly `size` bytes that makes a job; what fills it up is ignored. */
function jobOf(size) {
    const empty = JSON.stringify({ user_email: DEFAULT_MEMBER, prompt: 'p', filler: '' });
    return Buffer.from(`${empty.slice(0, -2)}${'f'.repeat(size - empty.length)}"}`);
}

const fresh = () => `/api/projects/bodies-${count += 1}/scenarios`;

function assertTooLarge(answer, limit, studio = false) {
    assert.equal(answer?.status, 413);
    const message = `The body is larger than the limit of ${limit} bytes`;
    if (studio) assert.equal(json(answer).error.type, 'payload_too_large');
    else assert.deepEqual(json(answer), { error: message });
}

/**
 * Asks on one connection for as long as it stays; a new one where a chunked body has ended it, for
 * libmicrohttpd does not tell where others would see that end.
 */
function talk(port, stays) {
    let wire;
    return async (bytes, options) => {
        wire ??= await Wire.open(port);
        const answer = await wire.send(bytes).response(options);
        if (stays) assert.notEqual(answer?.headers.connection, 'close');
        else if (answer?.headers.connection === 'close') {
            assert.equal((await wire.closed()).length, 0);
            wire = null;
        }
        return answer;
    };
}

async function assertUsable(wire) {
    wire.send(request('GET', '/healthz'));
    assert.equal((await wire.response())?.status, 200, 'the connection is usable');
    wire.destroy();
}

describe('HTTP bodies', () => {
    before(async () => { server = await startServer(); });
    after(() => server.stop());

    for (const [framing, frame, stays = false] of [['framed', (body) => ({ body }), true],
        ['in one chunk', (body) => ({ headers: [CHUNKED], body: chunked(body) })],
        ['in chunks of 1,000', (body) => ({ headers: [CHUNKED], body: chunked(body, 1000) })]]) {
        const framed = (body, headers = []) => {
            const { headers: more = [], body: content } = frame(body);
            return { headers: [...headers, ...more], body: content };
        };

        it(`H2: exactly 1,048,576 bytes pass, ${framing}`, async () => {
            const made = await ask(server.port, request('POST', fresh(), framed(scenarioOf(MIB))));
            assert.equal(made.status, 201);
            assert.equal(json(made).instructions.length, MIB - '{"name":"x","instructions":""}'.length);
            const job = await ask(server.port, request('POST', JOBS, framed(jobOf(MIB), [KEY])));
            assert.equal(job.status, 201, `${job.body}`);
        });

        it(`H3: one byte more is 413, after 401, and a framed one's connection stays, ${framing}`, async () => {
            const path = fresh();
            for (const size of [MIB + 1, 2 * MIB, 8 * MIB]) {
                const send = talk(server.port, stays);
                assertTooLarge(await send(request('POST', path, framed(scenarioOf(size)))), MIB);
                assertTooLarge(await send(request('POST', JOBS, framed(jobOf(size), [KEY]))), MIB, true);
                assert.equal((await send(request('POST', JOBS, framed(jobOf(size), [WRONG]))))?.status, 401);
                assert.equal((await send(request('POST', '/nowhere', framed(jobOf(size)))))?.status, 404);
                assert.equal((await send(request('GET', '/healthz'))).status, 200);
            }
            assert.equal((await ask(server.port, request('GET', path))).body.toString(), '[]');
        });

        it(`H2: a body on GET, HEAD and DELETE is read and ignored, ${framing}`, async () => {
            const send = talk(server.port, stays);
            for (const size of [40, 5000, 3 * MIB])
                for (const [method, path, status] of [['GET', '/healthz', 200], ['GET', fresh(), 200],
                    ['HEAD', '/readyz', 200], ['DELETE', `${fresh()}/x`, 404],
                    ['GET', `${JOBS}/x`, 404], ['DELETE', `${JOBS}/x`, 404]]) {
                    const answer = await send(request(method, path, framed(scenarioOf(size), [KEY])),
                        { bodiless: method === 'HEAD' });
                    assert.equal(answer?.status, status, `${method} ${path} ${size}`);
                }
            assert.equal((await send(request('GET', '/healthz'))).status, 200);
        });

        it(`H3: --max-body is the limit, ${framing}`, async (t) => {
            const small = await serve(t, { args: ['--max-body', '100'] });
            const send = talk(small.port, stays);
            assert.equal((await send(request('POST', fresh(), framed(scenarioOf(100))))).status, 201);
            for (const size of [101, MIB])
                assertTooLarge(await send(request('POST', fresh(), framed(scenarioOf(size)))), 100);
            assert.equal((await send(request('GET', '/healthz'))).status, 200);
        });
    }

    it('H3: a --max-body beyond 8 MiB is the limit of what is read, too', async (t) => {
        const large = await serve(t, { args: ['--max-body', '10MiB'] });
        const made = await ask(large.port, request('POST', fresh(), { body: scenarioOf(10 * MIB) }));
        assert.equal(made.status, 201);
        const wire = await Wire.open(large.port);
        wire.send('POST /api/projects/p/scenarios HTTP/1.1\r\nHost: a\r\n',
            `Content-Length: ${10 * MIB + 1}\r\n\r\n`);
        assertTooLarge(await wire.response(), 10 * MIB);
        assert.equal((await wire.closed()).length, 0);
    });

    it('H3: a declared length beyond 8 MiB is answered at once and closed', async () => {
        for (const length of [8 * MIB + 1, 2 ** 31, 2 ** 53, '18446744073709551'])
            for (const [path, key, status] of [[fresh(), [], 413], [JOBS, [KEY], 413],
                [JOBS, [WRONG], 401], ['/nowhere', [], 404], ['/healthz', [], 405]]) {
                const wire = await Wire.open(server.port);
                // The head alone: were the body awaited, there would be no answer.
                wire.send(request('POST', path, { headers: [...key, `Content-Length: ${length}`] }));
                const answer = await wire.response();
                assert.equal(answer?.status, status, `${path} ${length}`);
                assert.equal(answer.headers.connection, 'close');
                assert.equal((await wire.closed()).length, 0);
            }
        const wire = await Wire.open(server.port);
        wire.send(request('GET', '/healthz', { headers: [`Content-Length: ${8 * MIB + 1}`] }));
        assert.equal((await wire.response())?.status, 413, 'a GET, too');
        await wire.closed();
    });

    it('H3: a chunked body that passes 8 MiB is closed without an answer', async () => {
        for (const [path, headers] of [[fresh(), []], [JOBS, [KEY]], [JOBS, [WRONG]], ['/nowhere', []]]) {
            const wire = await Wire.open(server.port);
            wire.send(request('POST', path, { headers: [...headers, CHUNKED] }));
            const piece = bytes('10000\r\n', Buffer.alloc(65536, 0x20), '\r\n');
            for (let sent = 0; sent <= 8 * MIB + 65536 && !wire.over; sent += 65536)
                await wire.flush(piece);
            assert.equal((await wire.closed()).toString('latin1'), '', path);
        }
        assert.equal((await ask(server.port, request('GET', '/healthz'))).status, 200);
    });

    it('H3: Expect: 100-continue with a good length gets 100, then its answer', async () => {
        const wire = await Wire.open(server.port);
        for (let i = 0; i < 3; i += 1) {
            const body = scenarioOf(i ? MIB : 60);
            wire.send(request('POST', fresh(), { headers: ['Expect: 100-Continue',
                `Content-Length: ${body.length}`] }));
            assert.equal((await wire.response())?.status, 100);
            wire.send(body);
            assert.equal((await wire.response())?.status, 201);
        }
        await assertUsable(wire);
    });

    it('H3: Expect: 100-continue that would be refused is answered at once and closed', async () => {
        for (const [method, path, headers, length, status] of [['POST', fresh(), [], MIB + 1, 413],
            ['POST', JOBS, [KEY], MIB + 1, 413], ['POST', JOBS, [WRONG], 10, 401],
            ['POST', JOBS, [WRONG], MIB + 1, 401], ['POST', '/nowhere', [], 10, 404],
            ['PATCH', fresh(), [], 10, 405], ['PUT', '/w/nobody/api/projects/p/scenarios/x', [], 10, 404]]) {
            const wire = await Wire.open(server.port);
            wire.send(request(method, path, { headers: [...headers, 'Expect: 100-continue',
                `Content-Length: ${length}`] }));
            const answer = await wire.response();
            assert.equal(answer?.status, status, path);
            assert.equal(answer.headers.connection, 'close');
            assert.equal((await wire.closed()).length, 0);
        }
    });

    it('H2, E11: chunked with nothing in it is an empty body', async () => {
        const answer = await ask(server.port, request('POST', fresh(),
            { headers: [CHUNKED, 'Content-Type: text/plain'], body: '0\r\n\r\n' }));
        assert.equal(answer.status, 400);
        assert.match(json(answer).error, /the body is empty/);
    });

    it('a body is the same behind a head of any length, at once or later', async () => {
        const wire = await Wire.open(server.port);
        for (const length of [0, 100, 1000, 4000, 7900, 12_000])
            for (const later of [false, true]) {
                const body = `{"name":"${length} ${later}"}`;
                const head = request('POST', fresh(), { headers: [`X: ${'y'.repeat(length)}`, `Content-Length: ${body.length}`] });
                if (later) await wire.flush(head);
                for (const part of later ? body : [Buffer.concat([head, Buffer.from(body)])]) await wire.flush(part);
                assert.equal((await wire.response())?.status, 201, `${length} ${later}`);
            }
        await assertUsable(wire);
    });

    it('keep-alive: 300 requests of all kinds on one connection', async () => {
        const wire = await Wire.open(server.port);
        const path = fresh();
        for (let i = 0; i < 100; i += 1) {
            wire.send(request('POST', path, { body: JSON.stringify({ name: `${i}` }) }));
            const made = await wire.response();
            assert.equal(made.status, 201);
            assert.notEqual(made.headers.connection, 'close');
            wire.send(request('GET', `${path}/${json(made).id}`));
            assert.equal((await wire.response()).body.toString(), made.body.toString());
            wire.send(request('DELETE', `${path}/${json(made).id}`));
            assert.equal((await wire.response()).status, 204);
        }
        await assertUsable(wire);
    });

    it('pipelining: 100 requests sent at once are answered in order', async () => {
        const wire = await Wire.open(server.port);
        const path = fresh();
        wire.send(...Array.from({ length: 100 }, (_, i) => (i % 3 === 1
            ? request('GET', `${JOBS}/job-${i}`, { headers: [KEY] })
            : i % 3 === 2 ? request('HEAD', '/healthz')
                : request('POST', path, { body: JSON.stringify({ name: `${i}` }) }))));
        for (let i = 0; i < 100; i += 1) {
            const answer = await wire.response({ bodiless: i % 3 === 2 });
            if (i % 3 === 0) assert.equal(json(answer).name, `${i}`);
            else if (i % 3 === 1) assert.equal(json(answer).error.message, `Job not found: job-${i}`);
            else assert.equal(answer.status, 200);
        }
        const list = json(await ask(server.port, request('GET', path)));
        assert.deepEqual(list.map(({ name }) => Number(name)), list.map((_, i) => 3 * i));
        assert.equal(list.length, 34);
        await assertUsable(wire);
    });

    it('Connection: close and HTTP/1.0 are answered and closed, HTTP/1.0 keeps when asked', async () => {
        for (const options of [{ headers: ['Connection: close'] }, { version: 'HTTP/1.0' },
            { version: 'HTTP/1.0', headers: ['Host: a'] }]) {
            const wire = await Wire.open(server.port);
            const answer = await wire.send(request('GET', '/healthz', options)).response();
            assert.equal(answer.status, 200);
            assert.equal((await wire.closed()).length, 0);
        }
        const wire = await Wire.open(server.port);
        for (let i = 0; i < 2; i += 1) {
            wire.send('GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
            assert.equal((await wire.response())?.status, 200);
        }
        wire.destroy();
    });
});
