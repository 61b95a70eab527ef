// Raw sockets: what a test sends is what the server gets, byte for byte.
//
// Nothing waits for a span of time. A deadline turns a hang into a failure, no more.

import net from 'node:net';

export const DEADLINE_MS = 30_000; // sanitizers and a busy machine are slow

/** Bytes of a request or a part of one: a string counts as Latin-1, so that '\xff' is one byte. */
export function bytes(...parts) {
    return Buffer.concat(parts.map((part) =>
        (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
}

/** Rejects when `promise` is not settled by the deadline. */
export async function within(promise, what, ms = DEADLINE_MS) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

function parseHead(text) {
    const [first, ...lines] = text.split('\r\n');
    const [, version, status] = /^HTTP\/(\d\.\d) (\d{3})(?: .*)?$/.exec(first) ?? [];
    if (!version) throw new Error(`not a status line: ${JSON.stringify(first)}`);
    const fields = lines.map((line) => {
        const colon = line.indexOf(':');
        if (colon < 1) throw new Error(`not a header line: ${JSON.stringify(line)}`);
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    const headers = Object.fromEntries(fields);
    if (fields.length !== Object.keys(headers).length)
        throw new Error(`a header stands twice: ${text}`);
    return { version, status: Number(status), headers, text };
}

/**
 * Takes one response off the front of `buffer`: {status, version, headers, body (Buffer), text (of
 * the head), used}. null: it is not all there yet. `bodiless`: it answers a HEAD.
 */
export function parseResponse(buffer, { bodiless = false, closed = false } = {}) {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const head = parseHead(buffer.toString('latin1', 0, end));
    const start = end + 4;
    if (head.headers['transfer-encoding'])
        throw new Error('this server sends no chunked responses');
    const none = bodiless || head.status === 204 || head.status === 304 || head.status < 200;
    const declared = head.headers['content-length'];
    const length = none ? 0 : declared === undefined ? null : Number(declared);
    if (length === null && !closed) return null; // its end is the connection's
    const stop = length === null ? buffer.length : start + length;
    if (buffer.length < stop) return null;
    return { ...head, body: buffer.subarray(start, stop), used: stop };
}

/** All the responses in `buffer`, and whatever does not make up another one as `rest`. */
export function parseResponses(buffer, { bodiless = false, closed = true } = {}) {
    const responses = [];
    for (let response; buffer.length
        && (response = parseResponse(buffer, { bodiless, closed })); ) {
        responses.push(response);
        buffer = buffer.subarray(response.used);
    }
    return { responses, rest: buffer };
}

export class Wire {
    #socket;
    #buffer = Buffer.alloc(0);
    #wake = () => {};
    #closed = false;
    #ended = false;

    constructor(socket) {
        this.#socket = socket;
        socket.on('data', (data) => {
            this.#buffer = Buffer.concat([this.#buffer, data]);
            this.#wake();
        });
        socket.on('end', () => { this.#ended = true; this.#wake(); });
        socket.on('error', (error) => { this.error = error; });
        socket.on('close', () => { this.#closed = true; this.#wake(); });
    }

    static open(port, host = '127.0.0.1') {
        return new Promise((resolve, reject) => {
            // allowHalfOpen: whether the server has closed is the test's to find out.
            const socket = net.connect({ port, host, allowHalfOpen: true });
            socket.setNoDelay(true);
            socket.once('error', reject);
            socket.once('connect', () => {
                socket.off('error', reject);
                resolve(new Wire(socket));
            });
        });
    }

    /** Whether the server has closed its side, or the connection is gone. */
    get over() { return this.#ended || this.#closed; }

    /** What has come and was not taken, as text. */
    get received() { return this.#buffer.toString('latin1'); }

    send(...parts) {
        if (!this.#closed) this.#socket.write(bytes(...parts));
        return this;
    }

    /** Sends, and resolves when the system has taken the bytes; also when the server is gone. */
    flush(...parts) {
        return new Promise((resolve) => {
            this.#socket.once('close', resolve);
            this.#socket.write(bytes(...parts), resolve);
        });
    }

    /** Says that nothing more will come. */
    end() {
        if (!this.#closed) this.#socket.end();
        return this;
    }

    /** Reads nothing until resume(). */
    pause() { this.#socket.pause(); }
    resume() { this.#socket.resume(); }

    destroy() { this.#socket.destroy(); }

    /** Leaves by a reset instead of an orderly end. */
    reset() { this.#socket.resetAndDestroy(); }

    async #until(what, take) {
        const taken = (async () => {
            for (;;) {
                const result = take();
                if (result !== undefined) return result;
                await new Promise((resolve) => { this.#wake = resolve; });
            }
        })();
        return within(taken, what).catch((error) => {
            this.destroy();
            throw new Error(`${error.message}; got ${JSON.stringify(
                this.#buffer.toString('latin1').slice(0, 2000))}`);
        });
    }

    /** The next response; null when the server closed without one. */
    response(options) {
        return this.#until('a response', () => {
            const response = parseResponse(this.#buffer, { ...options, closed: this.over });
            if (response) {
                this.#buffer = this.#buffer.subarray(response.used);
                return response;
            }
            return this.over ? null : undefined;
        });
    }

    /** Waits until the server has closed; resolves to what it sent that was not taken yet. */
    async closed() {
        await this.#until('the end of the connection', () => (this.over ? true : undefined));
        this.destroy();
        return this.#buffer;
    }
}

/** Sends a request on a connection of its own and resolves to its response; closes it. */
export async function ask(port, ...parts) {
    const wire = await Wire.open(port);
    try {
        const head = parts[0].toString().startsWith('HEAD ');
        return await wire.send(...parts).response({ bodiless: head });
    } finally {
        wire.destroy();
    }
}

/**
 * A whole request. `headers` is an object or a list of lines; Host is added unless it is there, and
 * Content-Length where there is a body, unless its framing is given.
 */
export function request(method, target, { headers = {}, body, version = 'HTTP/1.1' } = {}) {
    const lines = Array.isArray(headers) ? [...headers]
        : Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const has = (name) => lines.some((line) => line.toLowerCase().startsWith(`${name}:`));
    const content = body === undefined ? Buffer.alloc(0)
        : Buffer.isBuffer(body) ? body : Buffer.from(body, 'utf8');
    if (!has('host')) lines.unshift('Host: localhost');
    if (body !== undefined && !has('content-length') && !has('transfer-encoding'))
        lines.push(`Content-Length: ${content.length}`);
    return bytes(Buffer.from(`${method} ${target} ${version}\r\n`, 'utf8'),
        Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'utf8'), '\r\n', content);
}

/** A body cut into chunks of `size` bytes, as Transfer-Encoding: chunked has it. */
export function chunked(content, size = content.length) {
    const parts = [];
    for (let at = 0; at < content.length; at += size) {
        const part = content.subarray(at, at + size);
        parts.push(`${part.length.toString(16)}\r\n`, part, '\r\n');
    }
    return bytes(...parts, '0\r\n\r\n');
}

/** The body of a response as JSON. */
export function json(response) {
    return JSON.parse(response.body.toString('utf8'));
}
