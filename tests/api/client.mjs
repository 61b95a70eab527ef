// Small clients for tests over real HTTP: one that speaks it properly, one that sends any bytes.
//
// Nothing here retries a request or waits for a span of time.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { startServer } from '../support/server.mjs';

/** The key, member and workspace that a server has from its first start. */
export const DEFAULT_KEY = 'exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b';
export const DEFAULT_MEMBER = 'jane@acme.com';
export const DEFAULT_SLUG = 'acme-corp';

const TIMES = Number(process.env.TEST_TIMES ?? 1); // what scripts/test stretches time-outs by
const ANSWER_WITHIN_MS = 60_000 * TIMES; // turns a hang into a failure
const POLL_EVERY_MS = 5;

/** A well-formed key made of one repeated character or word. */
export function makeKey(seed = 'k') {
    return `exec_live_${seed.repeat(40).slice(0, 40)}`;
}

/**
 * Asks fn again and again until it gives something true, and resolves to that. For states that come
 * about by themselves, such as a job's end. Rejects at the deadline.
 */
export async function until(fn, { timeout = 30_000, what = String(fn) } = {}) {
    const end = Date.now() + timeout * TIMES;
    for (;;) {
        const value = await fn();
        if (value) return value;
        if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${what}`);
        await new Promise((resolve) => { setTimeout(resolve, POLL_EVERY_MS); });
    }
}

const cleanings = new WeakMap();

/** Does this after the test (or suite), what was asked for last first: a server before its files. */
export function afterwards(t, clean) {
    const own = cleanings.get(t) ?? [];
    own.push(clean);
    if (cleanings.has(t)) return;
    cleanings.set(t, own);
    t.after(async () => {
        const failures = [];
        while (own.length)
            await own.pop()().catch((error) => failures.push(error));
        if (failures.length) throw failures[0];
    });
}

/** A server that ends, with code 0, when the test (or suite) does. Options as for startServer. */
export async function serve(t, options) {
    const server = await startServer(options);
    afterwards(t, () => server.stop());
    return server;
}

/** A directory that goes when the test (or suite) does. */
export async function temporaryDirectory(t) {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'understudy-test-'));
    afterwards(t, () => rm(directory, { recursive: true, force: true }));
    return directory;
}

/**
 * Runs SQL on a store by SQLite's own command, and resolves to the rows, as objects. Without
 * `write` it only reads, which is harmless while a server has the file; write only when none has.
 */
export async function sql(file, statement, { write = false } = {}) {
    const { stdout } = await promisify(execFile)('sqlite3',
        ['-batch', '-json', ...(write ? [] : ['-readonly']), '-cmd', '.timeout 10000', file,
            statement], { maxBuffer: 256 * 1024 * 1024 });
    return stdout.trim() ? JSON.parse(stdout) : [];
}

/** Runs many tasks, `width` of them at a time; resolves to their results in order. */
export async function inParallel(width, items, task) {
    const results = [];
    let next = 0;
    await Promise.all(Array.from({ length: width }, async () => {
        while (next < items.length) {
            const index = next;
            next += 1;
            results[index] = await task(items[index], index);
        }
    }));
    return results;
}

/** The Studio API's form of a time, from milliseconds. */
export function studioTime(ms) {
    return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/** Checks that an answer is this error of the Studio API, to the byte; code null: it has none. */
export function assertError(answer, status, type, code, message, what = '') {
    const error = code === null ? { type, message } : { type, code, message };
    assert.equal(`${answer.status} ${answer.text}`, `${status} ${JSON.stringify({ error })}`, what);
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8', what);
}

export const assertInvalid = (answer, code, message, what) =>
    assertError(answer, 400, 'invalid_request', code, message, what);

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

/**
 * One request on a connection of its own, unless an agent is given.
 *
 *   headers  an object; an array as value sends the header once for each
 *   body     a string or Buffer is sent as it is, with its length; anything else but undefined as JSON
 *
 * Resolves to {status, headers, rawHeaders, text, bytes, body}: body is the parsed JSON, or undefined.
 */
export function request(server, method, target, { headers = {}, body, agent = false } = {}) {
    const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
        ? body : JSON.stringify(body);
    const all = { ...headers };
    const given = new Set(Object.keys(all).map((name) => name.toLowerCase()));
    if (payload !== undefined) {
        if (!given.has('content-length') && !given.has('transfer-encoding'))
            all['Content-Length'] = Buffer.byteLength(payload);
        // Undefined sends none.
        if (!given.has('content-type')) all['Content-Type'] = 'application/json';
    }
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    return new Promise((resolve, reject) => {
        const req = http.request({ host: '127.0.0.1', port: server.port, method, path: target,
            headers: all, agent }, (res) => {
            const chunks = [];
            res.on('data', (chunk) => chunks.push(chunk));
            res.on('error', reject);
            res.on('end', () => {
                if (!res.complete) {
                    reject(new Error(`${method} ${target}: the answer was cut off`));
                    return;
                }
                const bytes = Buffer.concat(chunks);
                const text = bytes.toString('utf8');
                resolve({ status: res.statusCode, headers: res.headers, rawHeaders: res.rawHeaders,
                    bytes, text, body: parse(text) });
            });
        });
        req.on('error', reject);
        req.setTimeout(ANSWER_WITHIN_MS, () =>
            req.destroy(new Error(`${method} ${target}: no answer`)));
        req.end(payload);
    });
}

/**
 * A client of the Studio API.
 *
 *   key     what follows `Bearer`; null sends no Authorization
 *   prefix  '' or '/w/<slug>'
 *   agent   an http.Agent, to keep connections; without, each request has its own
 */
export function studio(server, { key = DEFAULT_KEY, prefix = '', agent = false } = {}) {
    const authorization = key === null ? {} : { Authorization: `Bearer ${key}` };
    const send = (method, target, { headers, ...rest } = {}) =>
        request(server, method, `${prefix}/rest/v1${target}`,
            { agent, ...rest, headers: { ...authorization, ...headers } });
    const api = {
        send,
        createSession: (body, options) => send('POST', '/scenario-studio', { ...options, body }),
        createJob: (body, options) => send('POST', '/scenario-studio/jobs', { ...options, body }),
        getJob: (id, options) => send('GET', `/scenario-studio/jobs/${id}`, options),
        cancelJob: (id, options) => send('DELETE', `/scenario-studio/jobs/${id}`, options),
        page: (address, options) =>
            request(server, 'GET', `${prefix}${address}`, { agent, ...options }),

        /** Makes a job that must be accepted; resolves to it. */
        async newJob(fields = {}, options = {}) {
            const answer = await api.createJob(job(fields), options);
            assert.equal(answer.status, 201, answer.text);
            return answer.body;
        },
        async readJob(id) {
            const answer = await api.getJob(id);
            assert.equal(answer.status, 200, answer.text);
            return answer.body;
        },
        /** Waits until the job is in one of the states; resolves to it. */
        jobIn(id, states, options) {
            const wanted = [states].flat();
            return until(async () => {
                const now = await api.readJob(id);
                return wanted.includes(now.status) ? now : null;
            }, { what: `job ${id} ${wanted.join(' or ')}`, ...options });
        },
        jobEnd: (id, options) => api.jobIn(id, ['completed', 'failed', 'cancelled'], options),
    };
    return api;
}

/** The smallest valid body of a job or a session, with these fields besides or instead. */
export function job(fields = {}) {
    return { user_email: DEFAULT_MEMBER, prompt: 'Practice a renewal call', ...fields };
}

/** A client of the Scenarios API in one project. */
export function scenarios(server, { project = 'default', prefix = '', agent = false } = {}) {
    const base = `${prefix}/api/projects/${project}/scenarios`;
    const send = (method, target, options) =>
        request(server, method, base + target, { agent, ...options });
    return {
        send,
        list: (options) => send('GET', '', options),
        create: (body, options) => send('POST', '', { ...options, body }),
        get: (id, options) => send('GET', `/${id}`, options),
        update: (id, body, options) => send('PUT', `/${id}`, { ...options, body }),
        remove: (id, options) => send('DELETE', `/${id}`, options),
    };
}

function findHeaderEnd(bytes, from) {
    const at = bytes.indexOf('\r\n\r\n', from, 'latin1');
    return at < 0 ? -1 : at + 4;
}

/** The end of a chunked body and its content, or null while it is not whole. */
function readChunked(bytes, from) {
    const parts = [];
    let at = from;
    for (;;) {
        const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
        if (lineEnd < 0) return null;
        const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
        if (Number.isNaN(size)) return null;
        at = lineEnd + 2 + size + 2;
        if (at > bytes.length) return null;
        if (size === 0) return { end: at, content: Buffer.concat(parts) };
        parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    }
}

/**
 * Splits bytes from a connection into answers. headOnly says which of them (by index) were to HEAD.
 * Gives {answers, rest}; rest is what is no whole answer.
 */
export function parseAnswers(bytes, { headOnly = () => false } = {}) {
    const answers = [];
    let at = 0;
    while (at < bytes.length) {
        const bodyAt = findHeaderEnd(bytes, at);
        if (bodyAt < 0) break;
        const [start, ...lines] = bytes.toString('latin1', at, bodyAt - 4).split('\r\n');
        const match = /^HTTP\/1\.[01] (\d{3})(?: .*)?$/.exec(start);
        if (!match) break;
        const headers = {};
        for (const line of lines) {
            const colon = line.indexOf(':');
            const name = line.slice(0, colon).toLowerCase();
            const value = line.slice(colon + 1).trim();
            headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
        }
        const status = Number(match[1]);
        const bodiless = status < 200 || status === 204 || status === 304
            || headOnly(answers.filter((a) => a.status >= 200).length);
        let content = Buffer.alloc(0);
        let end = bodyAt;
        if (!bodiless && /chunked/i.test(headers['transfer-encoding'] ?? '')) {
            const chunked = readChunked(bytes, bodyAt);
            if (!chunked) break;
            ({ end, content } = chunked);
        } else if (!bodiless) {
            end = bodyAt + Number(headers['content-length'] ?? bytes.length - bodyAt);
            if (end > bytes.length) break;
            content = bytes.subarray(bodyAt, end);
        }
        const text = content.toString('utf8');
        answers.push({ status, headers, lines: [start, ...lines], text, bytes: content,
            body: parse(text) });
        at = end;
    }
    return { answers, rest: bytes.subarray(at) };
}

/**
 * Sends bytes (a string is taken as Latin-1, so that each character is one byte) on a new connection.
 *
 *   answers   resolve when so many whole answers (1xx not counted) have come; without, when the
 *             server closes the connection
 *   end       half-close after sending
 *   headOnly  as for parseAnswers
 *
 * Resolves to {answers, bytes, rest, closed}: closed says the server ended the connection. A reset
 * counts as closing; a server that neither answers nor closes is an error.
 */
export function raw(server, data, { answers: wanted = Infinity, end = false, headOnly,
    timeout = ANSWER_WITHIN_MS } = {}) {
    return new Promise((resolve, reject) => {
        const chunks = [];
        const socket = net.connect(server.port, '127.0.0.1');
        const read = () => {
            const bytes = Buffer.concat(chunks);
            return { bytes, ...parseAnswers(bytes, { headOnly }) };
        };
        let settled = false;
        const finish = (closed) => {
            if (settled) return;
            settled = true;
            socket.destroy();
            resolve({ ...read(), closed });
        };
        socket.setTimeout(timeout, () => {
            socket.destroy();
            reject(new Error(`neither answered nor closed; so far: ${read().bytes.toString('latin1')}`));
        });
        socket.on('connect', () => {
            const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data, 'latin1');
            if (end) socket.end(bytes);
            else socket.write(bytes);
        });
        socket.on('data', (chunk) => {
            chunks.push(chunk);
            const whole = read().answers.filter((answer) => answer.status >= 200).length;
            if (whole >= wanted) finish(false);
        });
        socket.on('end', () => finish(true));
        socket.on('close', () => finish(true));
        socket.on('error', () => finish(true));
    });
}

/** The bytes of a request; headers are 'Name: value' lines. Host is added unless one of them is. */
export function rawRequest(method, target, headers = [], body = '') {
    const host = headers.some((line) => /^host\s*:/i.test(line)) ? [] : ['Host: 127.0.0.1'];
    const head = [`${method} ${target} HTTP/1.1`, ...host, ...headers, '', ''].join('\r\n');
    return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]);
}
