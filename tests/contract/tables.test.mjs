// The server's route and field tables against the OpenAPI documents, both ways: whatever one side
// has and the other lacks, or has otherwise, is named.
//
// UNDERSTUDY_TABLES is the program that prints the tables that the server is built of, as JSON:
//   {"routes": [{"api", "method", "path", "operationId"}],
//    "fields": [{"operationId", "name", "type", "required", "maxLength"}],
//    "params": [{"operationId", "name", "type", "words", "max"}]}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { loadDocuments, operationsOf, pathParameters, resolve } from './openapi.mjs';

const documents = loadDocuments();

function readTables() {
    const program = process.env.UNDERSTUDY_TABLES;
    assert.ok(program, 'set UNDERSTUDY_TABLES to the program that prints the tables');
    return JSON.parse(execFileSync(program, { encoding: 'utf8' }));
}

function routeLine({ api, method, path, operationId }) {
    return `${api}: ${method} ${path} (${operationId})`;
}

function documentedRoutes() {
    return Object.entries(documents)
        .flatMap(([api, document]) => operationsOf(api, document).map(routeLine));
}

/** One line a field, in the order of the document: "createScenarioJob 2. prompt: string, …". */
function fieldLines(rows) {
    const counts = new Map();
    return rows.map(({ operationId, name, type, required, maxLength }) => {
        const position = (counts.get(operationId) ?? 0) + 1;
        counts.set(operationId, position);
        return `${operationId} ${position}. ${name}: ${type}, `
            + `${required ? 'required' : 'optional'}, `
            + (maxLength === null ? 'no limit' : `at most ${maxLength} characters`);
    });
}

/** The schema of an object, which may be one of several things that a body may be, or of a list. */
function objectOf(document, reference) {
    const schema = resolve(document, reference);
    const parts = (schema.anyOf ?? [schema.items ?? schema]).map((part) => resolve(document, part));
    return parts.find((part) => part.properties);
}

function documentedFields() {
    return Object.entries(documents).flatMap(([api, document]) =>
        operationsOf(api, document).flatMap(({ operationId, operation }) => {
            const media = operation.requestBody?.content['application/json'];
            if (!media) return [];
            const schema = objectOf(document, media.schema);
            return Object.entries(schema.properties).map(([name, reference]) => {
                const property = resolve(document, reference);
                return {
                    operationId,
                    name,
                    type: property.type ?? 'any',
                    required: (schema.required ?? []).includes(name),
                    maxLength: property.maxLength ?? null,
                };
            });
        }));
}

/** Of the query, but for ?workspace=, which every operation on one workspace has. */
function documentedParams() {
    return Object.entries(documents).flatMap(([api, document]) =>
        operationsOf(api, document).flatMap(({ operationId, pathItem, operation }) =>
            [...(pathItem.parameters ?? []), ...(operation.parameters ?? [])]
                .map((reference) => resolve(document, reference))
                .filter((parameter) => parameter.in === 'query' && parameter.name !== 'workspace')
                .map(({ name, required, schema }) => paramLine({ operationId, name,
                    type: required ? 'required' : schema.type, words: schema.enum ?? null,
                    max: schema.maximum ?? null }))));
}

function paramLine({ operationId, name, type, words, max }) {
    return `${operationId} ?${name}=: ${type}, ${words?.join('|') ?? 'any'}, at most ${max}`;
}

function assertSame(inServer, inDocuments) {
    const complaints = [
        ...inDocuments.filter((line) => !inServer.includes(line))
            .map((line) => `documented, but not in the server's tables: ${line}`),
        ...inServer.filter((line) => !inDocuments.includes(line))
            .map((line) => `in the server's tables, but not documented: ${line}`),
        ...inServer.filter((line, i) => inServer.indexOf(line) !== i)
            .map((line) => `twice in the server's tables: ${line}`),
    ];
    assert.deepEqual(complaints, []);
}

test('every route is an operation, and every operation a route', () => {
    assertSame(readTables().routes.map(routeLine), documentedRoutes());
});

test('every field is a property, and every property a field: name, order, type, limit', () => {
    assertSame(fieldLines(readTables().fields), fieldLines(documentedFields()));
});

test('every query parameter of the tables is documented, and every documented one in them', () => {
    assertSame(readTables().params.map(paramLine), documentedParams());
});

test('every parameter of a path is described, once', () => {
    for (const [api, document] of Object.entries(documents)) {
        for (const { path, pathItem, operation } of operationsOf(api, document)) {
            const described = [...(pathItem.parameters ?? []), ...(operation.parameters ?? [])]
                .map((reference) => resolve(document, reference))
                .filter((parameter) => parameter.in === 'path')
                .map((parameter) => parameter.name);
            assert.deepEqual(described, pathParameters(path), path);
        }
    }
});
