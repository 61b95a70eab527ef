// The OpenAPI documents by themselves: each example is valid by its own schema, and each statement
// says where it comes from. No server is needed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { disorderOf, examplesOf, faultsOf, loadDocuments, operationsOf, resolve }
    from './openapi.mjs';

const documents = loadDocuments();

/** Every media type object of a document: [{where, media}]. */
function* mediaOf(api, document) {
    for (const { operationId, pathItem, operation } of operationsOf(api, document)) {
        for (const [type, media] of Object.entries(operation.requestBody?.content ?? {}))
            yield { where: `${operationId} request ${type}`, media };
        const responses = { ...operation.responses, 405: pathItem['x-method-not-allowed'] };
        for (const [status, reference] of Object.entries(responses))
            for (const [type, media] of Object.entries(resolve(document, reference).content ?? {}))
                yield { where: `${operationId} ${status} ${type}`, media };
    }
    for (const [type, media] of Object.entries(document['x-answers'].UnknownPath.content))
        yield { where: `unknown path ${type}`, media };
}

/** Every object of the document that says where it comes from, and those that ought to. */
function* sourced(api, document) {
    for (const { operationId, operation } of operationsOf(api, document)) {
        yield { where: operationId, node: operation };
        for (const [status, reference] of Object.entries(operation.responses))
            yield { where: `${operationId} ${status}`, node: resolve(document, reference) };
    }
    for (const { where, media } of mediaOf(api, document))
        for (const { name, node } of examplesOf(document, media))
            if (name !== 'example') yield { where: `${where} example ${name}`, node };
    for (const [name, node] of Object.entries(document.components.schemas))
        yield { where: `schema ${name}`, node };
}

for (const [api, document] of Object.entries(documents)) {
    test(`${api}.yaml: every example is valid by its schema, those of answers in order`, () => {
        for (const { where, media } of mediaOf(api, document)) {
            for (const { name, value } of examplesOf(document, media)) {
                assert.deepEqual(faultsOf(document, media.schema, value), [], `${where}: ${name}`);
                if (!where.includes(' request '))
                    assert.deepEqual(disorderOf(document, media.schema, value), [],
                        `${where}: ${name}`);
            }
        }
    });

    test(`${api}.yaml: every answer in JSON shows an example`, () => {
        for (const { where, media } of mediaOf(api, document)) {
            if (!/json$/.test(where) || / 405 /.test(where)) continue;
            assert.notDeepEqual(examplesOf(document, media), [], where);
        }
    });

    test(`${api}.yaml: operations, answers, examples and schemas say where they come from`, () => {
        for (const { where, node } of sourced(api, document)) {
            const { 'x-basis': basis, 'x-rules': rules } = node;
            assert.ok(Array.isArray(basis) && basis.length > 0, `${where} has no x-basis`);
            assert.ok(Array.isArray(rules) && rules.length > 0, `${where} has no x-rules`);
            for (const letter of basis) assert.match(letter, /^[DPOA]$/, where);
            for (const rule of rules) assert.match(rule, /^[HSEC][1-9][0-9]?$/, where);
        }
    });

    test(`${api}.yaml: another method is described for every path`, () => {
        for (const [path, item] of Object.entries(document.paths))
            assert.ok(resolve(document, item['x-method-not-allowed'])?.headers?.Allow, path);
    });
}

test('operationIds are unique over the documents', () => {
    const ids = Object.entries(documents)
        .flatMap(([api, document]) => operationsOf(api, document).map((row) => row.operationId));
    assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
});
