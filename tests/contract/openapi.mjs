// What the contract tests know about OpenAPI: the documents, their operations and examples, and
// validators made of their schemas.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const documentNames = ['studio', 'scenarios', 'control'];
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

export function documentPath(name) {
    return fileURLToPath(new URL(`../../openapi/${name}.yaml`, import.meta.url));
}

export function documentText(name) {
    return readFileSync(documentPath(name), 'utf8');
}

/** {studio: {...}, scenarios: {...}, control: {...}} as they are written, references unresolved. */
export function loadDocuments() {
    return Object.fromEntries(documentNames.map((name) => [name, parse(documentText(name))]));
}

/** Follows `$ref` until there is none; what it returns may hold further references inside. */
export function resolve(document, node) {
    while (node !== null && typeof node === 'object' && '$ref' in node) {
        const pointer = node.$ref;
        if (!pointer.startsWith('#/'))
            throw new Error(`only references within a document are known: ${pointer}`);
        node = pointer.slice(2).split('/')
            .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
            .reduce((at, part) => at?.[part], document);
        if (node === undefined) throw new Error(`nothing at ${pointer}`);
    }
    return node;
}

/** Every operation of a document: {api, method: 'GET', path, operationId, pathItem, operation}. */
export function operationsOf(api, document) {
    return Object.entries(document.paths).flatMap(([path, pathItem]) =>
        methods.filter((method) => method in pathItem).map((method) => ({
            api,
            method: method.toUpperCase(),
            path,
            operationId: pathItem[method].operationId,
            pathItem,
            operation: pathItem[method],
        })));
}

export function pathParameters(path) {
    return [...path.matchAll(/\{([^}]*)\}/g)].map((match) => match[1]);
}

/** The named examples of a media type object: [{name, value, node}]. */
export function examplesOf(document, media) {
    const named = Object.entries(media?.examples ?? {}).map(([name, reference]) => {
        const node = resolve(document, reference);
        return { name, value: node.value, node };
    });
    if (media && 'example' in media)
        named.push({ name: 'example', value: media.example, node: media });
    return named;
}

// Says something to people or to us, nothing about validity.
const annotations = new Set(['description', 'title', 'example', 'deprecated', 'externalDocs',
    'discriminator', 'xml', 'readOnly', 'writeOnly', 'default']);

function isAnnotation(key) {
    return key.startsWith('x-') || annotations.has(key);
}

const mapsOfSchemas = new Set(['properties']);
const listsOfSchemas = new Set(['allOf', 'anyOf', 'oneOf']);
const schemas = new Set(['items', 'additionalProperties', 'not']);

/**
 * A schema object of OpenAPI 3.0 as JSON Schema: references put in place, annotations left out,
 * `nullable` as a second type. (Our schemas are not recursive.)
 */
export function toJsonSchema(document, node) {
    const schema = resolve(document, node);
    if (schema === null || typeof schema !== 'object') return schema;
    const result = {};
    for (const [key, value] of Object.entries(schema)) {
        if (isAnnotation(key) || key === 'nullable') continue;
        if (mapsOfSchemas.has(key))
            result[key] = Object.fromEntries(Object.entries(value)
                .map(([name, property]) => [name, toJsonSchema(document, property)]));
        else if (listsOfSchemas.has(key))
            result[key] = value.map((part) => toJsonSchema(document, part));
        else if (schemas.has(key)) result[key] = toJsonSchema(document, value);
        else result[key] = value;
    }
    if (schema.nullable === true) {
        if (typeof result.type !== 'string')
            throw new Error('OpenAPI 3.0.3: nullable does nothing without a type beside it');
        result.type = [result.type, 'null'];
    }
    return result;
}

// Strict: an unknown keyword or format, or a `required` without its property, is an error.
// Two types at once are what nullable becomes.
const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: true, allErrors: true });
addFormats(ajv);

const compiled = new WeakMap();

function validatorOf(document, node) {
    const schema = resolve(document, node);
    if (!compiled.has(schema)) compiled.set(schema, ajv.compile(toJsonSchema(document, schema)));
    return compiled.get(schema);
}

/** What is wrong with `value` by a schema of the document: a list of texts, empty when valid. */
export function faultsOf(document, node, value) {
    const validate = validatorOf(document, node);
    if (validate(value)) return [];
    return validate.errors.map(({ instancePath, message, params }) =>
        `${instancePath || '(top)'} ${message} ${JSON.stringify(params)}`);
}

/**
 * Members that do not come in the order of the schema's properties, as a list of texts. JSON.parse
 * keeps the order of the text for names that are no numbers, and none of ours is one.
 */
export function disorderOf(document, node, value, at = '') {
    const schema = resolve(document, node);
    if (Array.isArray(value))
        return schema.items === undefined ? []
            : value.flatMap((item, i) => disorderOf(document, schema.items, item, `${at}/${i}`));
    if (value === null || typeof value !== 'object' || schema.properties === undefined) return [];
    const known = Object.keys(schema.properties);
    const got = Object.keys(value).filter((key) => known.includes(key));
    const wanted = known.filter((key) => got.includes(key));
    const here = got.join() === wanted.join() ? []
        : [`${at || '(top)'} has its members in the order ${got}, not ${wanted}`];
    return here.concat(got.flatMap((key) =>
        disorderOf(document, schema.properties[key], value[key], `${at}/${key}`)));
}
