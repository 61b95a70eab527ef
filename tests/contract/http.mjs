// Requests exactly as a test writes them: no redirects, no retries, no headers of its own but Host
// and what framing needs.

import http from 'node:http';
import net from 'node:net';

const ANSWER_WITHIN_MS = 20_000; // turns a hang into a failure

/**
 * Sends one request on a connection of its own. `body` is a string, or a value that is sent as
 * JSON text. Resolves to {status, headers, text, json}; `json` is undefined where it is none.
 */
export function request(base, method, path, { headers = {}, body } = {}) {
    const { hostname, port } = new URL(base);
    const bytes = body === undefined ? undefined
        : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const framing = bytes === undefined ? {} : { 'Content-Length': bytes.length };
    return new Promise((resolve, reject) => {
        const outgoing = http.request({
            hostname, port, method, path, agent: false, headers: { ...headers, ...framing },
        }, (incoming) => {
            const chunks = [];
            incoming.on('data', (chunk) => chunks.push(chunk));
            incoming.on('error', reject);
            incoming.on('end', () => resolve(answer(incoming.statusCode, incoming.headers,
                Buffer.concat(chunks).toString('utf8'))));
        });
        outgoing.setTimeout(ANSWER_WITHIN_MS, () =>
            outgoing.destroy(new Error(`${method} ${path}: no answer`)));
        outgoing.on('error', reject);
        outgoing.end(bytes);
    });
}

/** Sends bytes as they are and reads to the end of the connection, which the server must close. */
export function sendRaw(base, text) {
    const { hostname, port } = new URL(base);
    return new Promise((resolve, reject) => {
        const socket = net.connect(Number(port), hostname, () => socket.write(text));
        let got = '';
        socket.setEncoding('utf8');
        socket.setTimeout(ANSWER_WITHIN_MS, () =>
            socket.destroy(new Error(`the connection stayed open after: ${got}`)));
        socket.on('data', (chunk) => { got += chunk; });
        socket.on('error', reject);
        socket.on('end', () => {
            socket.end();
            try {
                resolve(parseAnswer(got));
            } catch (error) {
                reject(error);
            }
        });
    });
}

function parseAnswer(text) {
    const end = text.indexOf('\r\n\r\n');
    const [statusLine, ...lines] = text.slice(0, end).split('\r\n');
    const match = /^HTTP\/1\.1 ([0-9]{3}) /.exec(statusLine);
    if (end < 0 || !match) throw new Error(`not an HTTP answer: ${JSON.stringify(text)}`);
    const headers = Object.fromEntries(lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    return answer(Number(match[1]), headers, text.slice(end + 4));
}

function answer(status, headers, text) {
    let json;
    if (/^application\/([a-z]+\+)?json\b/.test(headers['content-type'] ?? '') && text !== '')
        json = JSON.parse(text);
    return { status, headers, text, json };
}
