// What the tests of POST /_mock/verify have in common.

import assert from 'node:assert/strict';

import { request, scenarios, studio } from './client.mjs';
import { assertProblem, control } from './control.mjs';

/** A workspace of the test's own on a server, and its clients. */
export async function place(server, body = {}) {
    const made = await control(server).make({ members: ['*@acme.com'], ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    const verify = async (question, headers) =>
        mock.send('POST', '/verify', { body: question, headers });
    return {
        made, prefix, mock, verify, key: made.api_key,
        api: studio(server, { key: made.api_key, prefix }),
        store: scenarios(server, { prefix, project: 'shop' }),
        get: (path, headers) => request(server, 'GET', prefix + path, { headers }),
        rule: (match, rest = {}) => mock.must(201, 'POST', '/rules', { body: { match, ...rest } }),
        /** It is so. */
        async holds(question) {
            const answer = await verify(question);
            assert.equal(answer.status, 200, `${JSON.stringify(question)}: ${answer.text}`);
            return answer.body;
        },
        /** It is not so; or, with another name, cannot be told. */
        async fails(question, detail = /./, name = 'not_verified') {
            const answer = await verify(question);
            assertProblem(answer, 409, name, detail);
            return answer.body;
        },
    };
}

export const ids = ({ requests }) => requests.map(({ id }) => id);

/** The fields by which the nearest request differs, as "path: expected, seen (what)". */
export const differences = ({ differs }) => differs.map(({ path, expected, seen, what }) =>
    `${path}: ${JSON.stringify(expected)}, ${JSON.stringify(seen)}${what ? ` (${what})` : ''}`);
