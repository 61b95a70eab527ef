// What the tests of POST /_mock/verify have in common.

import assert from 'node:assert/strict';

import { request, scenarios, studio, until } from './client.mjs';
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

async function connections(server) {
    const { text } = await request(server, 'GET', '/metrics');
    return Number(/^understudy_connections (\d+)$/m.exec(text)[1]);
}

/**
 * Begins so many questions; resolves, when they have reached the server, to the promises of their
 * answers. The connections of before must be gone, or they would be taken for theirs.
 */
export async function begin(server, questions, ask) {
    await until(async () => await connections(server) === 1, { timeout: 60_000 }); // its own
    const answers = questions.map((question) => ask(question));
    await until(async () => await connections(server) > questions.length, { timeout: 60_000 });
    return answers;
}

export const ids = ({ requests }) => requests.map(({ id }) => id);

/** The fields by which the nearest request differs, as "path: expected, seen (what)". */
export const differences = ({ differs }) => differs.map(({ path, expected, seen, what }) =>
    `${path}: ${JSON.stringify(expected)}, ${JSON.stringify(seen)}${what ? ` (${what})` : ''}`);
