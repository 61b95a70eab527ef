// A receiver of callbacks for tests: keeps what came, and answers as it is told.
//
//     const receiver = await receive(t, { answer: [{ status: 500 }, { status: 204 }] });
//     … callback_url: receiver.url …
//     const [first] = await receiver.came(1);

import http from 'node:http';

import { afterwards } from './client.mjs';

const CAME_WITHIN_MS = 30_000; // turns a callback that never comes into a failure

async function take(message) {
    const parts = [];
    for await (const part of message) parts.push(part);
    const body = Buffer.concat(parts);
    const raw = [];
    for (let i = 0; i < message.rawHeaders.length; i += 2)
        raw.push([message.rawHeaders[i], message.rawHeaders[i + 1]]);
    return {
        method: message.method,
        path: message.url,
        headers: message.headers,
        raw,
        body,
        text: body.toString('utf8'),
        get json() { return JSON.parse(this.text); },
        at: Date.now(),
    };
}

/** Answers; what says how is a status, {status, headers, body}, or does it all itself. */
async function answerBy(how, response, request) {
    if (typeof how === 'function') {
        const said = await how(request, response);
        if (said !== undefined) await answerBy(said, response, request);
        return;
    }
    const { status = 200, headers = {}, body = '' } = typeof how === 'number' ? { status: how } : how;
    response.writeHead(status, headers);
    response.end(body);
}

/**
 * Listens until the test (or suite) ends. `answer` is a status, {status, headers, body}, a function
 * of (request, response) that gives either or answers by itself (or never), or a list of these, one
 * for each request and the last one for all that follow.
 *
 *   url, port, host   of "/hook"; other paths are taken too
 *   requests          what came: {method, path, headers, raw, body, text, json, at}; raw is a list
 *                     of [name, value] as they were spelled, in their order
 *   answer            may be changed
 *   came(n)           resolves to the first n, as soon as so many are there
 *   close()           listens no more, and ends what is open
 */
export async function receive(t, { answer = 200, host = '127.0.0.1', port = 0 } = {}) {
    const waiting = new Set();
    const receiver = {
        requests: [],
        answer,
        came(count, { timeout = CAME_WITHIN_MS } = {}) {
            return new Promise((resolve, reject) => {
                const look = () => {
                    if (receiver.requests.length < count) return;
                    clearTimeout(timer);
                    waiting.delete(look);
                    resolve(receiver.requests.slice(0, count));
                };
                const timer = setTimeout(() => {
                    waiting.delete(look);
                    reject(new Error(`${receiver.requests.length} of ${count} requests came to `
                        + `${receiver.url} within ${timeout} ms`));
                }, timeout);
                waiting.add(look);
                look();
            });
        },
    };
    const server = http.createServer(async (message, response) => {
        try {
            const request = await take(message);
            const place = receiver.requests.push(request) - 1;
            for (const look of [...waiting]) look();
            const how = receiver.answer;
            await answerBy(Array.isArray(how) ? how[Math.min(place, how.length - 1)] : how, response,
                request);
        } catch { // the other side is gone
            response.destroy();
        }
    });
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
    });
    receiver.port = server.address().port;
    receiver.host = `${host.includes(':') ? `[${host}]` : host}:${receiver.port}`;
    receiver.url = `http://${receiver.host}/hook`;
    receiver.close = () => new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
    });
    afterwards(t, receiver.close);
    return receiver;
}
