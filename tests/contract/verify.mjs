// Sends requests of an operation and holds the answers against its OpenAPI document, noting which
// statuses and examples were seen.
//
// An error must equal its example to the letter. A success must be valid by its schema and have its
// example's shape: the same members in the same order, null where the example has null.

import assert from 'node:assert/strict';

import { request, sendRaw } from './http.mjs';
import { disorderOf, examplesOf, faultsOf, loadDocuments, operationsOf, resolve }
    from './openapi.mjs';

export const documents = loadDocuments();
export const operations = new Map(Object.entries(documents).flatMap(([api, document]) =>
    operationsOf(api, document).map((row) => [row.operationId, { ...row, document }])));

export const auth = { Authorization: 'Bearer exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b' };

const contentTypes = {
    'application/json': 'application/json; charset=utf-8', // H1
    'application/problem+json': 'application/problem+json',
    'application/yaml': 'application/yaml',
    'application/xml': 'application/xml',
    'text/html': 'text/html; charset=utf-8',
    'text/markdown': 'text/markdown; charset=utf-8',
    'text/plain': ['text/plain; charset=utf-8', // C4
        'text/plain; version=0.0.4; charset=utf-8'],
    'text/event-stream': 'text/event-stream',
};
const tellingHeaders = ['Allow', 'WWW-Authenticate', 'Retry-After', 'Content-Security-Policy'];

/** What was seen: "operationId status" and "operationId status example". */
export const seen = new Set();

export function pathOf(operationId, parameters = {}) {
    return operations.get(operationId).path.replace(/\{([^}]*)\}/g, (_, name) => {
        assert.ok(name in parameters, `${operationId} needs ${name}`);
        return parameters[name];
    });
}

// A value without what differs from one answer to the next. These strings stay: they say which case
// it is.
const kept = new Set(['status', 'failureCriteriaMode', 'code']);

export function shapeOf(value, key = '') {
    if (Array.isArray(value)) return value.map((item) => shapeOf(item));
    if (value !== null && typeof value === 'object')
        return Object.entries(value).map(([name, member]) => [name, shapeOf(member, name)]);
    if (value === null || typeof value === 'boolean' || kept.has(key)) return value;
    return typeof value;
}

function assertHeaders(document, response, answer, where) {
    for (const name of tellingHeaders) {
        const header = resolve(document, response.headers?.[name]);
        const value = answer.headers[name.toLowerCase()];
        if (!header) {
            assert.equal(value, undefined, `${where}: ${name} is not documented`);
            continue;
        }
        if (value === undefined && !header.required) continue;
        assert.notEqual(value, undefined, `${where}: ${name} is missing`);
        const typed = resolve(document, header.schema).type === 'integer' ? Number(value) : value;
        assert.deepEqual(faultsOf(document, header.schema, typed), [],
            `${where}: ${name}: ${value}`);
    }
}

/** Holds an answer against a response object; returns the media type object that it is of. */
export function assertDescribed(document, reference, answer, where) {
    const response = resolve(document, reference);
    assert.ok(response, `${where}: not documented\n${answer.text}`);
    assertHeaders(document, response, answer, where);
    if (!response.content) {
        assert.equal(answer.text, '', `${where}: no body is documented`);
        assert.equal(answer.headers['content-type'], undefined, where);
        return undefined;
    }
    const type = (answer.headers['content-type'] ?? '').split(';')[0];
    const media = response.content[type];
    assert.ok(media, `${where}: content type "${type}" is not documented\n${answer.text}`);
    assert.ok([contentTypes[type]].flat().includes(answer.headers['content-type']), where);
    const value = answer.json === undefined ? answer.text : answer.json;
    assert.deepEqual(faultsOf(document, media.schema, value), [], `${where}\n${answer.text}`);
    assert.deepEqual(disorderOf(document, media.schema, value), [], where);
    if (type === 'application/problem+json')
        assert.equal(answer.json.status, answer.status, `${where}: the problem's own status`);
    return media;
}

export function assertLikeExample(document, media, name, answer, where) {
    const named = examplesOf(document, media).find((example) => example.name === name);
    assert.ok(named, `${where}: the document has no such example`);
    if (answer.status >= 400) assert.deepEqual(answer.json, named.value, where);
    else assert.deepEqual(shapeOf(answer.json), shapeOf(named.value), where);
}

/** Holds an answer of an operation against its document, and notes that it was seen. */
export function verify(operationId, status, example, answer) {
    const where = [operationId, status, example].filter(Boolean).join(' ');
    const { document, operation } = operations.get(operationId);
    assert.equal(answer.status, status, `${where}\n${answer.text}`);
    assert.match(answer.headers['x-request-id'] ?? '', /^[!-~]{1,64}$/, `${where}: X-Request-Id`);
    const media = assertDescribed(document, operation.responses[status], answer, where);
    if (example) assertLikeExample(document, media, example, answer, where);
    seen.add(where);
}

/** Whether the request schema and the server agree on which bodies are good. */
function verifyBody(operationId, status, example, body) {
    const { document, operation } = operations.get(operationId);
    if (body === undefined || typeof body === 'string') return;
    const { schema } = operation.requestBody.content['application/json'];
    const faults = faultsOf(document, schema, body);
    const where = `${operationId} ${status} ${example}: the request by its own schema`;
    if (status < 400) assert.deepEqual(faults, [], where);
    else if (/^(invalid|missing|not_an_object|name_required)|_too_long$/.test(example))
        assert.notDeepEqual(faults, [], where);
}

/** Sends a request of an operation and verifies the answer. Resolves to the answer's JSON. */
export async function call(server, operationId,
    { parameters, prefix = '', query = '', headers, body, status, example }) {
    const { api, method } = operations.get(operationId);
    const answer = await request(server.url, method, prefix + pathOf(operationId, parameters) + query, {
        headers: headers ?? defaultHeaders(api, body),
        body,
    });
    verify(operationId, status, example, answer);
    verifyBody(operationId, status, example, body);
    return answer.json;
}

function defaultHeaders(api, body) {
    return {
        ...(api === 'studio' ? auth : {}),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
}

/** H5: both framings at once. The head alone: what follows it could not be understood anyway. */
export async function callAmbiguous(server, operationId, parameters, example) {
    const { api, method } = operations.get(operationId);
    const headers = { ...defaultHeaders(api), 'Content-Length': 5, 'Transfer-Encoding': 'chunked' };
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const answer = await sendRaw(server.url,
        `${method} ${pathOf(operationId, parameters)} HTTP/1.1\r\n`
        + `Host: ${new URL(server.url).host}\r\n${head}\r\n`);
    assert.equal(answer.headers.connection?.toLowerCase(), 'close', operationId);
    verify(operationId, 400, example, answer);
}
