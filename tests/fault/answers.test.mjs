// Answers that go wrong on purpose, as bytes on the wire: late, lost, cut, slow, no HTTP, replaced.
// The server is tests/support/fault_server.c, which does to each answer what its query asks for.
// Times are only ever bounded from below: nothing comes earlier than it may, to the millisecond.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { ask, request, Wire, within } from '../api/wire.mjs';

const start = () => startServer({ bin: process.env.UNDERSTUDY_FAULT_SERVER });

let server;
before(async () => { server = await start(); });
after(() => server.stop());

const digits = (len) => '0123456789'.repeat(Math.ceil(len / 10)).slice(0, len);

function target(path, params) {
    return `${path}?${Object.entries(params).map(([name, value]) => `${name}=${value}`).join('&')}`;
}

const answer = (params) => request('GET', target('/answer', params));

async function number(path, from = server) {
    const { status, body } = await ask(from.port, request('GET', path));
    assert.equal(status, 200);
    return Number(body);
}

/** Sends on a connection of its own; resolves to what came until its end: {text, error, ms}. */
async function outcome(...requests) {
    const wire = await Wire.open(server.port);
    const begun = performance.now();
    const bytes = await wire.send(...requests).closed();
    // The end and the error of a socket are told one after the other.
    return { text: bytes.toString('latin1'), error: wire.error?.code, ms: performance.now() - begun };
}

/** What each kind is, seen by the client: {text, error, ms} and the body that was to be sent. */
const kinds = {
    none: {
        query: {},
        async check(params, body) {
            const response = await ask(server.port, answer(params));
            assert.equal(response.body.toString(), body);
        },
    },
    drop: { query: { kind: 'drop' }, check: checkReset },
    hang: { query: { kind: 'hang', amount: 30 }, check: checkReset },
    garbage: { query: { kind: 'garbage' }, check: checkGarbage },
    truncate: {
        query: { kind: 'truncate', amount: 3 },
        async check(params, body) {
            const { text, error } = await outcome(answer(params));
            assert.equal(error, undefined);
            const [head, sent] = text.split('\r\n\r\n');
            assert.match(head, new RegExp(`^HTTP/1.1 \\d{3} .*\r\nContent-Length: ${body.length}(\r\n|$)`, 's'));
            assert.equal(sent, body.slice(0, 3));
        },
    },
    drip: {
        query: { kind: 'drip', amount: 100 },
        async check(params, body) {
            const begun = performance.now();
            const response = await ask(server.port, answer(params));
            assert.equal(response.body.toString(), body);
            assert.ok(performance.now() - begun >= body.length * 10 - 1);
        },
    },
};

async function checkReset(params) {
    const { text, error, ms } = await outcome(answer(params));
    assert.equal(text, '', 'not a byte');
    assert.equal(error, 'ECONNRESET');
    if (params.kind === 'hang') assert.ok(ms >= params.amount - 1, `${ms} ms`);
}

async function checkGarbage(params) {
    const { text } = await outcome(answer(params));
    assert.ok(text.length > 10);
    assert.doesNotMatch(text, /HTTP\/\d/);
    assert.notEqual(text.charCodeAt(0), 'H'.charCodeAt(0));
}

// Each kind, after the handler and without it, with the handler's answer and with another one,
// late and at once.
for (const [name, { query, check }] of Object.entries(kinds)) {
    for (const delay of [0, 40]) {
        for (const replace of [undefined, 503]) {
            const params = {
                len: 20, ...query, ...(delay && { delay }), ...(replace && { replace }),
            };
            test(`${name}${delay ? ', late' : ''}${replace ? ', another answer' : ''}`, async () => {
                const handled = await number('/handled');
                const begun = performance.now();
                await check(params, replace ? 'replaced' : digits(20));
                assert.ok(performance.now() - begun >= delay - 1);
                assert.equal(await number('/handled'), handled + 1, 'its effect stays');
                if (!replace && ['none', 'truncate', 'drip'].includes(name)) return;
                await check({ ...params, before: 1 }, 'replaced');
                assert.equal(await number('/handled'), handled + 1, 'no handler, no effect');
            });
        }
    }
}

test('another answer has its own status, type and headers, and none of the handler\'s', async () => {
    for (const extra of [{}, { before: 1 }, { delay: 1 }, { kind: 'drip', amount: 1000 }]) {
        const { status, headers, body } =
            await ask(server.port, answer({ len: 20, replace: 429, ...extra }));
        assert.equal(status, 429);
        assert.equal(headers['content-type'], 'application/json; charset=utf-8');
        assert.equal(headers['retry-after'], '7');
        assert.equal(headers['x-replaced'], 'yes');
        assert.equal(headers['x-handled'], undefined);
        assert.equal(body.toString(), 'replaced');
    }
});

test('a truncated body: the whole length declared, 40 bytes of 100 sent, none of 100', async () => {
    for (const amount of [40, 0]) {
        const { text, error } = await outcome(answer({ len: 100, kind: 'truncate', amount }));
        const [head, body] = text.split('\r\n\r\n');
        assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
        assert.match(head, /\r\nContent-Length: 100(\r\n|$)/);
        assert.equal(body, digits(amount));
        assert.equal(error, undefined, 'what was sent is not lost to a reset');
    }
    await assert.rejects(fetch(server.url + target('/answer', { len: 100, kind: 'truncate', amount: 40 }))
        .then((response) => response.text()));
});

test('a long body is cut and dripped at the right byte', async () => {
    const cut = await outcome(answer({ len: 300_000, kind: 'truncate', amount: 123_457 }));
    assert.equal(cut.text.split('\r\n\r\n')[1], digits(123_457));
    const begun = performance.now();
    const whole = await ask(server.port, answer({ len: 300_000, kind: 'drip', amount: 1_000_000 }));
    assert.equal(whole.body.toString(), digits(300_000));
    assert.ok(performance.now() - begun >= 299);
});

test('what cannot be cut is sent as it is, and the connection goes on', async () => {
    const wire = await Wire.open(server.port);
    const whole = { len: 10, kind: 'truncate', amount: 10 };
    for (const params of [whole, { ...whole, amount: 11 }, { ...whole, len: 0, amount: 0 },
        { kind: 'drip', amount: 1, len: 0 }]) {
        const { body } = await wire.send(answer(params)).response();
        assert.equal(body.toString(), digits(params.len));
    }
    for (const kind of ['truncate', 'drip']) {
        const query = { len: 100, kind, amount: 1 };
        const head = await wire.send(request('HEAD', target('/answer', query)))
            .response({ bodiless: true });
        assert.equal(head.headers['content-length'], '100');
        const empty = await wire.send(request('GET', target('/empty', query))).response();
        assert.equal(empty.status, 204);
    }
    wire.destroy();
});

test('HEAD and 204 are dropped and delayed like any answer', async () => {
    for (const message of [request('HEAD', target('/answer', { kind: 'drop', len: 5 })),
        request('GET', target('/empty', { kind: 'drop' }))]) {
        const { text, error } = await outcome(message);
        assert.deepEqual([text, error], ['', 'ECONNRESET']);
    }
    const begun = performance.now();
    assert.equal((await ask(server.port, request('GET', target('/empty', { delay: 50 })))).status, 204);
    assert.ok(performance.now() - begun >= 49);
});

test('amounts beyond reason', async () => {
    const body = async (params) => (await ask(server.port, answer(params))).body.toString();
    assert.equal(await body({ len: 30, kind: 'drip', amount: '9223372036854775807' }), digits(30));
    assert.equal(await body({ len: 1, kind: 'drip', amount: 0 }), digits(1));
    assert.equal(await body({ len: 1, kind: 'drip', amount: -5 }), digits(1));
    assert.equal(await body({ len: 30, delay: -5 }), digits(30));
    const { text } = await outcome(answer({ len: 30, kind: 'truncate', amount: -5 }));
    assert.equal(text.split('\r\n\r\n')[1], '');
    await checkReset({ kind: 'hang', amount: -5 });
});

test('a drip: the head first, then never more than is due', async () => {
    const wire = await Wire.open(server.port);
    const begun = performance.now();
    wire.send(answer({ len: 1_000_000, kind: 'drip', amount: 4 }));
    let seen = 0;
    try {
        await within((async () => {
            while (seen < 4) {
                await new Promise((resolve) => { setImmediate(resolve); });
                const end = wire.received.indexOf('\r\n\r\n');
                if (end < 0) continue;
                seen = wire.received.length - end - 4;
                const due = (performance.now() - begun + 1) * 4 / 1000;
                assert.ok(seen <= due, `${seen} bytes where ${due} are due`);
            }
        })(), 'four bytes');
        assert.match(wire.received, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)?Content-Length: 1000000\r\n/s);
    } finally {
        wire.destroy();
    }
});

test('what was sent behind a slow answer is answered after it, in order', async () => {
    for (const slow of [{ kind: 'drip', amount: 100 }, { delay: 60 }]) {
        const wire = await Wire.open(server.port);
        wire.send(answer({ len: 11, ...slow }), answer({ len: 22 }),
            request('POST', target('/answer', { len: 33, ...slow }), { body: 'x'.repeat(5000) }),
            answer({ len: 44 }));
        for (const len of [11, 22, 33, 44])
            assert.equal((await wire.response()).body.toString(), digits(len));
        assert.ok(!wire.over);
        wire.destroy();
    }
});

test('a reset connection takes what was behind with it; others are served meanwhile', async () => {
    const handled = await number('/handled');
    const hanging = outcome(answer({ kind: 'hang', amount: 300 }), answer({ len: 5 }));
    assert.equal((await ask(server.port, answer({ len: 7 }))).body.toString(), digits(7));
    const { text, error } = await hanging;
    assert.deepEqual([text, error], ['', 'ECONNRESET']);
    assert.equal(await number('/handled'), handled + 2);
});

test('many short waits at once', async () => {
    const wires = await Promise.all(Array.from({ length: 40 }, () => Wire.open(server.port)));
    await Promise.all(wires.map(async (wire, i) => {
        for (let round = 0; round < 25; round++) {
            const params = { len: 10, wait: (i + round) % 3, delay: round % 3,
                ...(round % 5 === 0 && { kind: 'drip', amount: 10_000 }) };
            const { body } = await wire.send(answer(params)).response();
            assert.equal(body.toString(), digits(10));
        }
        wire.destroy();
    }));
});

/** Resolves when no request but the asking one is open. */
async function allOver() {
    await within((async () => {
        while (await number('/open') > 1)
            await new Promise((resolve) => { setTimeout(resolve, 20); });
    })(), 'the end of all requests');
}

test('a client that leaves is noticed: by the next byte of a drip, or when its wait ends', async () => {
    await allOver();
    const drip = { len: 1_000_000, kind: 'drip', amount: 5 };
    const ways = [drip, { delay: 100, len: 5 }, { kind: 'hang', amount: 100 }, { wait: 100 }]
        .flatMap((params) => [[params, (wire) => wire.destroy()], [params, (wire) => wire.reset()]]);
    for (const [params, leave] of ways) {
        const wire = await Wire.open(server.port);
        await wire.flush(answer(params));
        await within((async () => { while (await number('/open') < 2); })(), 'its begin');
        leave(wire);
        await allOver();
    }
});

test('a stop: waits end at once, and what is answered is answered whole', async () => {
    const stopping = await start();
    const wires = {};
    const hour = 3_600_000;
    const queries = {
        hang: { kind: 'hang', amount: hour },
        late: { delay: hour, len: 1000 },
        lateDrop: { delay: hour, kind: 'drop' },
        drip: { len: 100_000, kind: 'drip', amount: 1 },
        lateDrip: { len: 100_000, kind: 'drip', amount: 1, delay: hour },
        wait: { wait: hour },
    };
    for (const [name, params] of Object.entries(queries)) {
        wires[name] = await Wire.open(stopping.port);
        wires[name].send(answer(params));
    }
    await within((async () => { while (await number('/open', stopping) < 7); })(), 'their begin');
    const begun = performance.now();
    const stopped = stopping.stop(); // rejects unless it exits with 0
    for (const [name, len] of [['late', 1000], ['drip', 100_000], ['lateDrip', 100_000]])
        assert.equal((await wires[name].response()).body.toString(), digits(len), name);
    assert.equal((await wires.wait.response()).status, 503);
    for (const name of ['hang', 'lateDrop']) {
        assert.equal((await wires[name].closed()).length, 0, name);
        assert.equal(wires[name].error?.code, 'ECONNRESET', name);
    }
    await stopped;
    assert.ok(performance.now() - begun < 10_000, 'promised');
    for (const wire of Object.values(wires)) wire.destroy();
});

function status(pid, name) {
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`))[1]);
}

test('a thousand that wait take no thread each, and end with the server', async () => {
    const crowded = await start();
    const threads = status(crowded.pid, 'Threads');
    const wires = [];
    for (let i = 0; i < 1000; i++) {
        wires.push(await Wire.open(crowded.port));
        wires[i].send(answer(i % 2 ? { kind: 'hang', amount: 3_600_000 } : { delay: 3_600_000 }));
    }
    await within((async () => { while (await number('/open', crowded) < 1001); })(), 'their begin');
    assert.equal(status(crowded.pid, 'Threads'), threads);
    const begun = performance.now();
    await crowded.stop();
    assert.ok(performance.now() - begun < 10_000, 'promised');
    for (const wire of wires) wire.destroy();
});

test('before the handler: the operation, any header, and the body that is parsed once', async () => {
    const told = async (headers) => (await ask(server.port, request('POST', '/told',
        { headers, body: '"text"' }))).body.toString();
    assert.equal(await told({ 'X-Test': 'first' }), 'told|first|text');
    assert.equal(await told({ 'x-tEST': ' a b \t ' }), 'told|a b|text');
    assert.equal(await told({ 'x-test': '' }), 'told||text');
    assert.equal(await told(['X-Test: one', 'X-Test: two']), 'told|one|text');
    assert.equal(await told({ 'X-Tes': 'no' }), 'told|(none)|text');
});
