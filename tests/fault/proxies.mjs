// Proxies in front of a server, for tests. Each gives every request that it passes on an X-Request-Id of its
// own, which it logs: a request without one that is in its log was never seen by it.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { until } from '../api/client.mjs';
import { parseResponse } from '../api/wire.mjs';

// An unfinished request is given up after this: nothing but its end waits for it.
const PATIENCE_MS = 300;
// And a server that has not got all of a request.
const ANSWER_MS = 5000;

/** Two ports that are free: for those who are given up, and for those who are not. */
async function freePorts() {
    const servers = [net.createServer(), net.createServer()];
    for (const server of servers)
        await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const ports = servers.map((server) => server.address().port);
    for (const server of servers)
        await new Promise((resolve) => { server.close(resolve); });
    return ports;
}

/** Runs a proxy in the foreground until `stop()`, by the signal that has it end in order. */
async function run(port, command, args, signal) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { text: '' };
    for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text) => { output.text += text; });
    const exited = new Promise((resolve) => {
        child.once('error', (error) => { output.text += error; resolve(); });
        child.once('close', resolve);
    });
    const kill = () => child.kill('SIGKILL');
    process.on('exit', kill);
    let over = false;
    exited.then(() => { over = true; process.off('exit', kill); });
    const listens = () => new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('error', () => resolve(false));
        socket.once('connect', () => { socket.destroy(); resolve(true); });
    });
    await until(async () => {
        if (over) throw new Error(`${command} ended: ${output.text}`);
        return listens();
    }, { what: `${command} listens` });
    return { output, stop: () => { child.kill(signal); return exited; } };
}

/** What a log says, as {id, answer, method, path}; `answer` is the id in the server's answer, - where there was none. */
const readLog = (text) => [...text.matchAll(/^seen (\S+) (\S+) (\S+) (.*)$/gm)].map(([, id, answer, method, target]) =>
    ({ id, answer, method, path: target.split('?')[0] }));

/** nginx's proxy_pass on connections that are kept; `buffers`: a body is read before it is passed on. */
export async function nginx(directory, upstream, { buffers = true } = {}) {
    const [port, patient] = await freePorts();
    const at = (name) => path.join(directory, name);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${at(name)};`).join('\n');
    writeFileSync(at('nginx.conf'), `
        daemon off;
        master_process off;
        pid ${at('pid')};
        error_log ${at('error.log')};
        events { worker_connections 256; }
        http {
            ${temporary}
            log_format seen 'seen $request_id $upstream_http_x_request_id $request_method $request_uri';
            access_log ${at('access.log')} seen if=$upstream_addr;
            client_max_body_size 0;
            upstream server { server 127.0.0.1:${upstream}; keepalive 4; }
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Request-Id $request_id;
            proxy_next_upstream off;
            proxy_request_buffering ${buffers ? 'on' : 'off'};
            server {
                listen 127.0.0.1:${patient};
                location / { proxy_pass http://server; }
            }
            server {
                listen 127.0.0.1:${port};
                client_header_timeout ${PATIENCE_MS}ms;
                client_body_timeout ${PATIENCE_MS}ms;
                keepalive_timeout ${PATIENCE_MS}ms;
                location / { proxy_pass http://server; }
            }
        }`);
    const { stop } = await run(port, 'nginx', ['-c', at('nginx.conf'), '-e', at('error.log'), '-p', directory], 'SIGQUIT');
    return { port, patient, stop, log: () => readLog(readFileSync(at('access.log'), 'utf8')) };
}

export async function haproxy(directory, upstream) {
    const [port, patient] = await freePorts();
    const file = path.join(directory, 'haproxy.cfg');
    const impatient = ['client', 'http-request', 'http-keep-alive'].map((what) => `    timeout ${what} ${PATIENCE_MS}ms`);
    const front = (name, at, ...lines) => [`frontend ${name}`, `    bind 127.0.0.1:${at}`, '    unique-id-format %[uuid]',
        '    unique-id-header X-Request-Id', '    log-format "seen %ID %[var(txn.answer)] %HM %HU"',
        '    http-response set-var(txn.answer) res.hdr(X-Request-Id)', '    default_backend server', ...lines, ''].join('\n');
    writeFileSync(file, `
global
    nbthread 1
    log stdout format raw local0
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server ${ANSWER_MS}ms
    http-reuse always
    retries 0
    log global
${front('patient', patient)}
${front('impatient', port, ...impatient)}
backend server
    server server 127.0.0.1:${upstream}
`);
    const { output, stop } = await run(port, 'haproxy', ['-db', '-f', file], 'SIGUSR1');
    return { port, patient, stop, log: () => readLog(output.text) };
}

/** How a message goes on behind its head, as a reader sees it who is easily pleased; its length, null: not all there. */
function lengthOf(bytes, start, prefers) {
    const head = bytes.toString('latin1', 0, start);
    const isChunked = /^[^:]*transfer[-_\0]*encoding[^:]*:[^]*?chunked/im.test(head);
    const length = /content-length[^:\n]*:[^\d]*(\d+)/i.exec(head)?.[1];
    if (!isChunked || (length !== undefined && prefers === 'length'))
        return start + Number(length ?? 0);
    for (let at = start; ;) {
        const end = bytes.indexOf('\r\n', at);
        const size = end < 0 ? NaN : Number.parseInt(bytes.toString('latin1', at, end), 16);
        if (Number.isNaN(size)) return null;
        if (size === 0) {
            const last = bytes.indexOf('\r\n\r\n', end);
            return last < 0 ? null : last + 4;
        }
        at = end + 2 + size + 2;
    }
}

/** One after the other, to one connection that is kept, whatever comes back on it. */
class Upstream {
    #turn = Promise.resolve();
    #socket = null;
    #bytes = Buffer.alloc(0);
    #wake = () => {};

    constructor(port) { this.port = port; }

    async #connect() {
        if (this.#socket) return;
        const socket = net.connect(this.port, '127.0.0.1');
        this.#socket = socket;
        this.#bytes = Buffer.alloc(0);
        socket.on('data', (data) => { this.#bytes = Buffer.concat([this.#bytes, data]); this.#wake(); });
        socket.on('error', () => {});
        socket.on('close', () => {
            if (this.#socket === socket) this.#socket = null;
            this.#wake();
        });
    }

    async #ask(message, bodiless) {
        await this.#connect();
        this.#socket.write(message);
        for (;;) {
            const answer = parseResponse(this.#bytes, { bodiless, closed: !this.#socket });
            if (answer) {
                const bytes = this.#bytes.subarray(0, answer.used);
                this.#bytes = this.#bytes.subarray(answer.used);
                if (answer.headers.connection === 'close') this.close();
                if (answer.status >= 200) return { ...answer, bytes };
            } else if (!this.#socket) {
                return null;
            } else {
                await new Promise((resolve) => { this.#wake = resolve; });
            }
        }
    }

    ask(message, bodiless) {
        const answer = this.#turn.then(async () => {
            const timer = setTimeout(() => this.close(), ANSWER_MS);
            return this.#ask(message, bodiless).finally(() => clearTimeout(timer));
        }).catch(() => this.close());
        this.#turn = answer;
        return answer;
    }

    close() {
        this.#socket?.destroy();
        this.#socket = null;
        this.#wake();
    }
}

/**
 * One that passes on all as it came, and finds where a message ends by whatever looks like a length or, unless it
 * prefers that, like chunks. Behind it the server alone can tell that a message has two ends.
 */
export async function careless(upstreamPort, prefers) {
    const upstream = new Upstream(upstreamPort);
    const log = [];
    const sockets = new Set();
    const serve = async (socket, state) => {
        for (let end; (end = state.bytes.indexOf('\r\n\r\n')) >= 0;) {
            const whole = lengthOf(state.bytes, end + 4, prefers);
            if (whole === null || whole > state.bytes.length) return;
            const message = state.bytes.subarray(0, whole);
            const head = message.subarray(0, end);
            state.bytes = state.bytes.subarray(whole);
            const [first] = head.toString('latin1').split('\r\n', 1);
            const [method, target = ''] = first.split(' ');
            const id = randomUUID();
            const line = { id, answer: '-', method, path: target.split('?')[0] };
            log.push(line);
            const passed = Buffer.from(head.toString('latin1').replace(/\r\nConnection: close/i, ''), 'latin1');
            const answer = await upstream.ask(Buffer.concat([passed, Buffer.from(`\r\nX-Request-Id: ${id}`),
                message.subarray(end)]), method === 'HEAD');
            line.answer = answer?.headers['x-request-id'] ?? '-';
            socket.write(answer?.bytes ?? 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
            if (!answer || answer.headers.connection === 'close' || /connection: close/i.test(head)) socket.end();
        }
    };
    const take = (patience) => (socket) => {
        const state = { bytes: Buffer.alloc(0), turn: Promise.resolve() };
        sockets.add(socket);
        if (patience) socket.setTimeout(patience, () => socket.destroy());
        socket.on('error', () => {});
        socket.on('close', () => sockets.delete(socket));
        socket.on('data', (data) => {
            state.bytes = Buffer.concat([state.bytes, data]);
            state.turn = state.turn.then(() => serve(socket, state));
        });
    };
    const servers = [net.createServer(take(PATIENCE_MS)), net.createServer(take(0))];
    for (const server of servers)
        await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const [port, patient] = servers.map((server) => server.address().port);
    return {
        port,
        patient,
        log: () => log,
        stop: async () => {
            upstream.close();
            const closed = servers.map((server) => new Promise((resolve) => { server.close(resolve); }));
            for (const socket of sockets) socket.destroy();
            await Promise.all(closed);
        },
    };
}
