// Receivers that do not speak HTTP as they should, or at all: a failed attempt in clear words, and
// the server goes on. Each is a bare TCP server.

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import { serveCallbacks } from './attempts.mjs';
import { afterwards, inParallel } from './client.mjs';
import { control } from './control.mjs';
import { receive } from './receiver.mjs';

const KIB = 1024;
const MOST = 64 * KIB; // of a head, and of a body
const KEPT = 16 * KIB;
const TIMEOUT = '4s'; // so long that those who answer do, also on a slow machine

/** Listens on loopback; `talk(socket, request)` once a whole request has come. */
async function listen(t, talk) {
    const sockets = new Set();
    const server = net.createServer((socket) => {
        let text = '';
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
            text += bytes.toString('latin1');
            const [, head, body] = /^([^]*?)\r\n\r\n([^]*)$/.exec(text) ?? [];
            const length = Number(/\r\ncontent-length: (\d+)/i.exec(head ?? '')?.[1]);
            if (body?.length === length) talk(socket, text);
        });
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    afterwards(t, () => new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
    }));
    return `http://127.0.0.1:${server.address().port}/hook`;
}

/** Writes for as long as the other side reads. */
function pour(socket, piece) {
    const more = () => { while (!socket.destroyed && socket.write(piece)); };
    socket.on('drain', more);
    more();
}

const say = (...parts) => (socket) => socket.end(Buffer.from(parts.join(''), 'latin1'));
const head = (...lines) => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
const body = (bytes) => `${head(`Content-Length: ${bytes}`)}${'x'.repeat(bytes)}`;
const chunk = (bytes) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
const then = (text, next) => (socket) => {
    socket.write(text);
    next(socket);
};

const TOO_LONG = 'the body of the answer is longer than 64 KiB';
const HEAD_TOO_LONG = 'the head of the answer is longer than 64 KiB';
const NO_HTTP = "the receiver's answer is not HTTP";
const CUT = 'the receiver closed the connection within its answer';
const SILENT = `the receiver did not answer within ${TIMEOUT}`;
const UNENDED = `the receiver did not end its answer within ${TIMEOUT}`;
const BROKE = /^the connection broke: ./;
const UNREAD = /^the answer cannot be read: ./;

// What it does, and what is said of that; a number: it counts as delivered, so many bytes were read.
const RECEIVERS = {
    // A body, long and longer.
    'a body of 64 KiB': [say(body(MOST)), MOST],
    'a body of 64 KiB and a byte': [say(body(MOST + 1)), TOO_LONG],
    'a chunked body of 64 KiB': [say(head('Transfer-Encoding: chunked'), chunk(MOST), '0\r\n\r\n'), MOST],
    'an endless body with a length': [then(head('Content-Length: 99999999999'),
        (socket) => pour(socket, 'x'.repeat(KIB))), TOO_LONG],
    'an endless body without': [then(head(), (socket) => pour(socket, 'x'.repeat(KIB))), TOO_LONG],
    'endless chunks': [then(head('Transfer-Encoding: chunked'),
        (socket) => pour(socket, chunk(KIB))), TOO_LONG],
    'chunks of a byte, endlessly': [then(head('Transfer-Encoding: chunked'),
        (socket) => pour(socket, chunk(1).repeat(100))), TOO_LONG],
    'an endless size of a chunk': [then(head('Transfer-Encoding: chunked'),
        (socket) => pour(socket, '1'.repeat(KIB))), UNREAD],
    'a body that ends with the connection': [say(head(), 'thanks'), 6],
    'no body at all': [say(head()), 0],
    // A head.
    'a head of many lines': [say(head(...Array.from({ length: 600 }, (_, i) => `X-${i}: ${'y'.repeat(90)}`),
        'Content-Length: 0')), 0],
    'a head of too many lines': [say(head(...Array.from({ length: 700 },
        (_, i) => `X-${i}: ${'y'.repeat(90)}`))), HEAD_TOO_LONG],
    'endless lines of a head': [then('HTTP/1.1 200 OK\r\n',
        (socket) => pour(socket, `X: ${'y'.repeat(KIB)}\r\n`)), HEAD_TOO_LONG],
    'one endless line': [then('HTTP/1.1 200 OK\r\nX: ',
        (socket) => pour(socket, 'y'.repeat(KIB))), HEAD_TOO_LONG],
    'an endless status line': [then('HTTP/1.1 200 ',
        (socket) => pour(socket, 'y'.repeat(KIB))), HEAD_TOO_LONG],
    'endless trailers': [then(head('Transfer-Encoding: chunked') + chunk(2) + '0\r\n',
        (socket) => pour(socket, 'X: y\r\n'.repeat(100))), HEAD_TOO_LONG],
    'a trailer that looks like a status': [say(head('Transfer-Encoding: chunked'), chunk(2),
        '0\r\nHTTP/1.1 1: x\r\n\r\n'), 2],
    'a folded line': [say(head('X: a', ' b', 'Content-Length: 0')), 0],
    'bytes that are no UTF-8': [say(head('X: \xff\xfe\xe4', 'Content-Length: 0')), 0],
    'line feeds alone': [say('HTTP/1.1 200 OK\nContent-Length: 2\n\nok'), 2],
    // It comes to an end.
    'nothing, and closes': [(socket) => socket.end(),
        'the receiver closed the connection without an answer'],
    'nothing, and resets': [(socket) => socket.resetAndDestroy(), BROKE],
    'half a status line': [say('HTTP/1.1 2'), /^the receiver('s answer is not HTTP| closed the connection)/],
    'half a head': [say('HTTP/1.1 200 OK\r\nContent-'), /^the receiver closed the connection/],
    'half a body': [say(head('Content-Length: 10'), 'xxxxx'), CUT],
    'half of the chunks': [say(head('Transfer-Encoding: chunked'), chunk(10), 'a\r\nxx'), CUT],
    'a reset within the body': [then(`${head('Content-Length: 10')}xxxxx`,
        (socket) => setImmediate(() => socket.resetAndDestroy())), /^(the connection broke|the receiver closed)/],
    // It does not.
    'no answer': [() => {}, SILENT],
    'half a head, and no more': [then('HTTP/1.1 200 OK\r\nContent-', () => {}), SILENT],
    'half a body, and no more': [then(`${head('Content-Length: 10')}xxxxx`, () => {}), UNENDED],
    'a body, drop by drop': [then(head('Content-Length: 1000'), (socket) => {
        const timer = setInterval(() => socket.write('x'), 20);
        socket.on('close', () => clearInterval(timer));
    }), UNENDED],
    // 1xx.
    '100 before 200': [say('HTTP/1.1 100 Continue\r\n\r\n', body(2)), 2],
    '103 three times before 200': [say('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(3), body(2)), 2],
    '103 as HTTP/1.0 before 200': [say('HTTP/1.0 103 Early Hints\r\n\r\n', body(2)), 2],
    '103 as HTTP/2 before 200': [say('HTTP/2 103 Early Hints\r\n\r\n', body(2)), 2],
    '100 alone': [then('HTTP/1.1 100 Continue\r\n\r\n', () => {}), SILENT],
    '101, and what follows': [say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', 'xx'), /./],
    '100, endlessly': [(socket) => pour(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)), HEAD_TOO_LONG],
    // No HTTP.
    'an SSH server': [say('SSH-2.0-OpenSSH_9.2\r\n'), NO_HTTP],
    'a mail server': [say('220 mx.example ESMTP\r\n'), NO_HTTP],
    'bytes of a TLS alert': [say('\x15\x03\x01\x00\x02\x02\x46'), NO_HTTP],
    'HTTP/0.9': [say('<html>hello</html>'), NO_HTTP],
    'HTTP/2': [say('\x00\x00\x12\x04\x00\x00\x00\x00\x00'), NO_HTTP],
    'zeroes, endlessly': [(socket) => pour(socket, '\x00'.repeat(KIB)), NO_HTTP],
    'HTTP/3.7': [say('HTTP/3.7 200 OK\r\n\r\n'), /HTTP/],
    'no status': [say('HTTP/1.1 OK\r\n\r\n'), /HTTP/],
    'a header without a colon': [say(head('what', 'Content-Length: 0')), /./],
    'a NUL in a header': [say(head('X: a\0b', 'Content-Length: 0')), NO_HTTP],
    'a length below zero': [say(head('Content-Length: -5'), 'xxxxx'), /./],
    'two lengths': [say(head('Content-Length: 2', 'Content-Length: 3'), 'xxx'), /./],
    'chunks that are none': [say(head('Transfer-Encoding: chunked'), 'zz\r\nxx'), UNREAD],
    'gzip that is none': [say(head('Transfer-Encoding: gzip, chunked'), chunk(100), '0\r\n\r\n'), /./],
};

test('receivers that misbehave are failed attempts in clear words', { timeout: 120_000 }, async (t) => {
    const { server, api, attempts } = await serveCallbacks(t);
    await control(server).set({ callback_timeout: TIMEOUT });
    const names = Object.keys(RECEIVERS);
    const urls = await Promise.all(names.map((name) => listen(t, RECEIVERS[name][0])));
    await inParallel(8, urls, (callback_url) => api.newJob({ callback_url }));
    const rows = await attempts(names.length);
    for (const [i, name] of names.entries())
        await t.test(name, () => {
            const [, said] = RECEIVERS[name];
            const row = rows.find(({ url }) => url === urls[i]);
            assert.ok(row.answer_length <= KEPT && row.answer_bytes <= MOST, `${row.answer_length}`);
            assert.ok((row.answer_headers ?? '').length <= 2 * MOST);
            assert.doesNotThrow(() => JSON.parse(row.answer_headers ?? '[]'));
            assert.ok(row.duration < 30_000, `${row.duration} ms`);
            if (typeof said === 'number') {
                assert.deepEqual([row.outcome, row.status, row.error, row.answer_bytes],
                    ['delivered', 200, null, said]);
                assert.notEqual(row.answer_headers, null);
            } else if (said.source === '.') {
                assert.ok(row.outcome === 'delivered' || row.error, row.error);
            } else {
                assert.equal(row.outcome, 'failed');
                if (said instanceof RegExp) assert.match(row.error, said);
                else assert.equal(row.error, said);
            }
        });
    const receiver = await receive(t);
    await api.newJob({ callback_url: receiver.url });
    await receiver.came(1);
});

/** A port of loopback where nobody listens. */
async function deadPort() {
    const server = net.createServer();
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const { port } = server.address();
    await new Promise((resolve) => { server.close(resolve); });
    return port;
}

test('nobody there, no such name, no TLS: failed attempts in clear words', async (t) => {
    const { server, api, attempts } = await serveCallbacks(t);
    await control(server).set({ callback_timeout: TIMEOUT });
    const http = await receive(t);
    const said = {
        [`http://127.0.0.1:${await deadPort()}/`]: /^no connection to 127\.0\.0\.1:\d+: Connection refused$/,
        [`http://[::1]:${await deadPort()}/`]: /^no connection to \[::1\]:\d+: ./,
        [`https://127.0.0.1:${http.port}/`]: /^no TLS with the receiver: ./,
        // No resolver is asked for these two: a label that is too long, and a name that libcurl keeps.
        [`http://${'a'.repeat(64)}.test/`]: /^the name a{64}\.test is not known$/,
        'http://nobody.onion/': /^the name nobody\.onion is not known$/,
    };
    for (const callback_url of Object.keys(said)) await api.newJob({ callback_url });
    const rows = await attempts(Object.keys(said).length);
    for (const [asked, words] of Object.entries(said)) {
        const row = rows.find(({ url }) => url === asked);
        assert.equal(row.outcome, 'failed');
        assert.match(row.error, words);
        assert.equal(row.status, null);
    }
});

test('random bytes from a receiver leave the server as it was', { timeout: 120_000 }, async (t) => {
    const { server, api, attempts } = await serveCallbacks(t);
    await control(server).set({ callback_timeout: '500ms' });
    let state = 7;
    const below = (limit) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * limit);
    };
    const words = ['HTTP/1.1 ', '200', ' OK', '\r\n', '\n', '\r\n\r\n', 'Content-Length: ', '5', 'chunked',
        'Transfer-Encoding: ', '0\r\n', ' ', ':', '\0', '\xff', 'X', 'Retry-After: ', '\t', 'gzip', '-1'];
    const callback_url = await listen(t, (socket) => {
        const parts = Array.from({ length: below(40) }, () => words[below(words.length)]);
        say(...(below(2) ? ['HTTP/1.1 200 OK\r\n'] : []), ...parts)(socket);
    });
    await inParallel(8, Array.from({ length: 400 }), () => api.newJob({ callback_url }));
    const rows = await attempts(400);
    assert.ok(rows.every(({ outcome, error }) => outcome === 'delivered' || error));
    assert.ok(new Set(rows.map(({ error }) => error)).size > 3);
});
