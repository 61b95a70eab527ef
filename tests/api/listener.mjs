// A listener to /_mock/events: server-sent events as they come, parsed by the specification's rules.

import http from 'node:http';

const WITHIN_MS = 60_000; // turns a hang into a failure; sanitizers are slow

/** Events and comments of a text; what has no end yet is left in `rest`. */
export function parseEvents(text) {
    const blocks = text.split('\n\n');
    const rest = blocks.pop();
    return { rest, items: blocks.map((block) => {
        const item = { comment: undefined };
        for (const line of block.split('\n')) {
            const colon = line.indexOf(':');
            const [name, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
            if (name === '') item.comment = value;
            else item[name] = name === 'data' ? JSON.parse(value) : value;
        }
        return item;
    }) };
}

/**
 * Begins to listen; resolves when the stream has begun, so that what happens from then on is heard.
 *
 *   events         those that came, {id, event, data}
 *   comments       how many came
 *   next(test)     the first event, not yet given, of which this holds; waits for it
 *   ended          a promise: the server has ended the stream, properly
 *   lastId         of the last event that had one
 *   close()        leaves
 */
export function listen(t, server, { prefix = '', headers = {}, query = '' } = {}) {
    return new Promise((resolve, reject) => {
        const req = http.get({ host: '127.0.0.1', port: server.port, agent: false, headers,
            path: `${prefix}/_mock/events${query}` }, (res) => {
            if (res.statusCode !== 200) {
                res.resume();
                reject(new Error(`status ${res.statusCode}`));
                return;
            }
            const listener = { head: res, events: [], comments: 0, lastId: undefined, given: 0 };
            let rest = '';
            let looking = () => {};
            listener.next = (test = () => true) => new Promise((found, failed) => {
                const timer = setTimeout(() => failed(new Error(
                    `not heard: ${test}\n${JSON.stringify(listener.events.slice(-5))}`)), WITHIN_MS);
                looking = () => {
                    const at = listener.events.findIndex((event, i) => i >= listener.given && test(event));
                    if (at < 0) return;
                    listener.given = at + 1;
                    looking = () => {};
                    clearTimeout(timer);
                    found(listener.events[at]);
                };
                looking();
            });
            listener.close = () => req.destroy();
            listener.ended = new Promise((ended, failed) => {
                res.on('end', () => ended());
                res.on('error', failed);
            });
            listener.ended.catch(() => {});
            t.after(() => req.destroy());
            res.setEncoding('utf8');
            res.on('data', (text) => {
                const parsed = parseEvents(rest + text);
                rest = parsed.rest;
                for (const item of parsed.items) {
                    if (item.id) listener.lastId = item.id;
                    if (item.event) listener.events.push(item);
                    else if (item.comment !== undefined) listener.comments += 1;
                }
                if (parsed.items.length) resolve(listener);
                looking();
            });
        });
        req.on('error', reject);
    });
}
