// The OpenAPI documents under Redocly's linter: no error, no warning.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

import openapiCore from '@redocly/openapi-core';

import { documentNames, documentPath } from './openapi.mjs';

const { lint, loadConfig } = openapiCore;
const configPath = fileURLToPath(new URL('redocly.yaml', import.meta.url));

function describeProblem({ severity, ruleId, message, location }) {
    const places = location.map(({ pointer, start, source }) =>
        `${source?.absoluteRef ?? ''}${pointer ?? ''}${start ? ` line ${start.line}` : ''}`);
    return `${severity} ${ruleId}: ${message}\n    ${places.join('\n    ')}`;
}

for (const name of documentNames) {
    test(`${name}.yaml: the linter has nothing to say`, async () => {
        const config = await loadConfig({ configPath });
        const problems = await lint({ ref: documentPath(name), config });

        assert.deepEqual(problems.map(describeProblem), []);
    });
}
