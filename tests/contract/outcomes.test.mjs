// The outcomes that the server lists against the OpenAPI documents of the two APIs, both ways:
// every documented answer has an outcome, and every outcome's sample is an answer as documented.
//
// UNDERSTUDY_BIN is the server's program.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { request } from './http.mjs';
import { examplesOf, operationsOf, resolve } from './openapi.mjs';
import { assertDescribed, documents, operations, shapeOf } from './verify.mjs';

const apis = ['studio', 'scenarios'];
const documented = apis.flatMap((api) => operationsOf(api, documents[api]));

/** The response object of an outcome; a wrong method is described with its path. */
function responseOf({ operation, status }) {
    const row = operations.get(operation);
    return status === 405 ? row.pathItem['x-method-not-allowed'] : row.operation.responses[status];
}

/** A sample as an answer that came over the wire. */
function answerOf({ status, sample }) {
    const headers = Object.fromEntries(Object.entries(sample.headers)
        .map(([name, value]) => [name.toLowerCase(), value]));
    const isText = typeof sample.body === 'string';
    return {
        status, headers,
        text: isText ? sample.body : sample.body === undefined ? '' : JSON.stringify(sample.body),
        json: isText ? undefined : sample.body,
    };
}

/** Errors are their examples to the letter; of others, and of seconds to wait, the shape is. */
function likenessOf(status, value) {
    return JSON.stringify(status >= 400 && status !== 429 ? value : shapeOf(value));
}

// Examples without an outcome of their own: the one that has their code follows the job's state.
const withoutOutcome = new Set(['cancelScenarioJob 400 job_failed',
    'cancelScenarioJob 400 job_cancelled', 'cancelScenarioJob 200 queued',
    'createScenario 201 only_name',
    // The outcome is the page that says so.
    'openChat 404 workspace_not_found', 'showScenario 404 workspace_not_found']);

function examplesWith({ operation, status }) {
    const { document } = operations.get(operation);
    const response = resolve(document, responseOf({ operation, status }));
    return Object.values(response.content ?? {})
        .flatMap((media) => examplesOf(document, media));
}

describe('outcomes and the OpenAPI documents', () => {
    let server, outcomes;

    test('the server lists its outcomes, each once', async () => {
        server = await startServer();
        const { json, status } = await request(server.url, 'GET', '/_mock/outcomes');
        assert.equal(status, 200);
        outcomes = json.items;
        const ids = outcomes.map(({ id }) => id);
        assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
    });

    after(() => server?.stop());

    test('an id is the operation, the status and what tells it apart', () => {
        for (const { id, operation, status, summary } of outcomes) {
            assert.ok(`${id}:`.startsWith(`${operation}:${status}:`), id);
            assert.ok(operations.has(operation), id);
            assert.ok(summary, id);
        }
    });

    test('every documented status of every operation has an outcome, and no other has', () => {
        const wanted = documented.flatMap(({ operationId, operation }) =>
            [...Object.keys(operation.responses), '405'].map((status) => `${operationId}:${status}`));
        const got = new Set(outcomes.map(({ operation, status }) => `${operation}:${status}`));
        assert.deepEqual([...got].sort(), wanted.sort());
    });

    test('every sample is an answer as its operation describes it', () => {
        for (const outcome of outcomes) {
            const { document } = operations.get(outcome.operation);
            assertDescribed(document, responseOf(outcome), answerOf(outcome), outcome.id);
        }
    });

    test('a sample is one of the documented examples, of the same basis', () => {
        const complaints = [];
        for (const outcome of outcomes) {
            const examples = examplesWith(outcome);
            if (typeof outcome.sample.body !== 'object' || !examples.length) continue;
            const own = likenessOf(outcome.status, outcome.sample.body);
            const like = examples.filter(({ value }) => likenessOf(outcome.status, value) === own);
            // The document shows one failure; the other differs in its code.
            if (outcome.id.endsWith('CONTENT_POLICY_VIOLATION')) continue;
            if (!like.length) {
                complaints.push(`${outcome.id}: ${JSON.stringify(outcome.sample.body)}`);
                continue;
            }
            const { 'x-basis': basis, 'x-rules': rules } = like[0].node;
            if (outcome.basis.join() !== basis.join())
                complaints.push(`${outcome.id}: ${outcome.basis} is not ${basis}`);
            if (!rules.includes(outcome.rule))
                complaints.push(`${outcome.id}: ${outcome.rule} is none of ${rules}`);
        }
        assert.deepEqual(complaints, []);
    });

    test('every documented example has an outcome', () => {
        const missing = documented.flatMap(({ operationId, operation }) =>
            Object.keys(operation.responses).map(Number).flatMap((status) => {
                const row = { operation: operationId, status };
                const own = outcomes.filter((outcome) => outcome.operation === operationId
                    && outcome.status === status)
                    .map((outcome) => likenessOf(status, outcome.sample.body));
                return examplesWith(row)
                    .filter(({ value }) => !own.includes(likenessOf(status, value)))
                    .map(({ name }) => `${operationId} ${status} ${name}`);
            }));
        assert.deepEqual(missing.sort(), [...withoutOutcome].sort());
    });
});
