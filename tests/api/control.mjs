// A client of the control plane for tests.

import assert from 'node:assert/strict';

import { request } from './client.mjs';

/** `send(method, path, {body, headers})`, and shorthands that insist on success. */
export function control(server, { prefix = '', headers: always = {} } = {}) {
    const send = (method, target, { headers, ...rest } = {}) =>
        request(server, method, `${prefix}/_mock${target}`,
            { ...rest, headers: { ...always, ...headers } });
    const must = async (status, method, target, options) => {
        const answer = await send(method, target, options);
        assert.equal(answer.status, status, `${method} ${target}: ${answer.text}`);
        return answer.body;
    };
    return {
        send,
        must,
        make: (body = {}) => must(201, 'POST', '/workspaces', { body }),
        remove: (name) => must(200, 'DELETE', `/workspaces/${name}`),
        read: (name) => must(200, 'GET', `/workspaces/${name}`),
        set: (body) => must(200, 'PATCH', '/settings', { body }),
    };
}

/** Checks a problem: its status, type and what its detail and hint say. */
export function assertProblem(answer, status, name, detail = /./, hint = undefined) {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.body.type, `urn:understudy:${name}`, answer.text);
    assert.equal(answer.body.status, status);
    assert.match(answer.body.detail, detail);
    if (hint) assert.match(answer.body.hint, hint);
}
