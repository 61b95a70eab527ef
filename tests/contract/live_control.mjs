// The control plane's part of live.test.mjs: every operation under /_mock, every status and example
// that requests can bring about.

import assert from 'node:assert/strict';

import { request } from './http.mjs';
import { webhooks } from './live_webhooks.mjs';
import { call, callAmbiguous, operations, verify } from './verify.mjs';

const key = `exec_live_${'k'.repeat(40)}`;
const bearer = (value) => ({ Authorization: `Bearer ${value}` });

export const controlOperations = [...operations.values()]
    .filter(({ path }) => path.startsWith('/_mock') || path === '/metrics');

const isServerWide = ({ path }) => path.startsWith('/_mock/workspaces') || path === '/_mock/info'
    || path === '/_mock/outcomes' || path === '/metrics';
// It is about all workspaces, unless one is named.
const isOptional = ({ operationId }) => operationId === 'getReport';
const takesBody = ({ operation }) => operation.requestBody !== undefined;

/** Parameters of a path, of things that are not there. */
export const nobody = { workspace: 'nobody', key: 'nokey', email: 'nobody@example.com',
    job: '000000000000', rule: '000000000000', request: '999999', webhook: '000000000000',
    inbox: 'orders' };
// Whoever has its URL may (C7, C8), with whatever the query says.
const isForAnybody = ({ operationId }) => operationId === 'postToInbox';

/** What every operation refuses (C2, C6, C7, C8, H3, H5). `server` has several workspaces. */
export async function refuseEverywhere(server, slug) {
    for (const row of controlOperations) {
        const { operationId, method } = row;
        const parameters = nobody;
        const refused = { parameters, body: takesBody(row) ? '{}' : undefined };
        const prefix = isServerWide(row) ? '' : `/w/${slug}`;
        const here = { ...refused, prefix };
        await callAmbiguous(server, operationId, parameters, 'malformed_request');
        await call(server, operationId, { ...here, query: '?a=%zz', status: 400,
            example: 'malformed_query' });
        if (!isServerWide(row) && !isOptional(row))
            await call(server, operationId, { ...refused, status: 400,
                example: 'workspace_required' });
        await call(server, operationId, { ...refused, prefix: '/w/nobody', status: 404,
            example: 'workspace_not_found' });
        if (isForAnybody(row)) continue;
        await call(server, operationId, { ...here, headers: { Via: '1.1 proxy' }, status: 403,
            example: 'forbidden' });
        await call(server, operationId, { ...here, headers: { Host: 'evil.example' }, status: 403,
            example: 'forbidden_host' });
        await call(server, operationId, { ...here, headers: { Origin: 'http://evil.example' },
            status: 403, example: 'forbidden_origin' });
        await call(server, operationId, { ...here, headers: { 'Sec-Fetch-Site': 'cross-site' },
            status: 403, example: 'cross_site' });
        if (method !== 'GET')
            await call(server, operationId, { ...here, headers: { 'Content-Type': 'text/plain' },
                status: 415, example: 'unsupported_media_type' });
        await call(server, operationId, { ...here, status: 422, example: 'unknown_parameter',
            query: isServerWide(row) ? '?limti=5' : `?workspace=${slug}&workspce=x` });
        if (!isServerWide(row)) {
            await call(server, operationId, { ...here, headers: bearer(key), status: 400,
                example: 'workspaces_disagree' });
        }
    }
}

const mayBeLarge = new Set(['createWorkspace', 'ensureWorkspace', 'replaceState']);

/** What every body may have wrong, whatever it is about. */
export async function refuseBodies(server, slug) {
    const parameters = { ...nobody, workspace: slug, key: 'nokey' };
    const { items: [first] } = await call(server, 'listKeys', { prefix: `/w/${slug}`, status: 200 });
    parameters.key = first.id;
    for (const row of controlOperations.filter(takesBody)) {
        const { operationId } = row;
        const prefix = isServerWide(row) ? '' : `/w/${slug}`;
        const own = operationId === 'ensureWorkspace' ? { workspace: 'unmade' } : parameters;
        if (!isForAnybody(row))
            await call(server, operationId, { parameters: own, prefix, body: '{', status: 400,
                example: 'invalid_json' });
        if (!mayBeLarge.has(operationId))
            await call(server, operationId, { parameters: own, prefix, status: 413,
                body: ' '.repeat(1024 * 1024 + 1), example: 'payload_too_large' });
    }
    const wrongJob = { number: 1, id: 'x', status: 'done' };
    const wrong = [
        ['createWorkspace', 'unknown_field', { slgu: 'x' }],
        ['createWorkspace', 'invalid_field', { ttl: '90' }],
        ['createWorkspace', 'invalid_body', []],
        ['createWorkspace', 'invalid_setting', { settings: { jitter: 2 } }],
        ['ensureWorkspace', 'unknown_field', { slgu: 'x' }],
        ['ensureWorkspace', 'invalid_field', { ttl: '90' }],
        ['updateWorkspace', 'unknown_field', { actvie: true }],
        ['updateWorkspace', 'invalid_field', { ttl: '90' }],
        ['createWorkspace', 'invalid_state', { state: { jobs: [wrongJob] } }],
        ['ensureWorkspace', 'invalid_state', { state: { jobs: [wrongJob] } }],
        ['replaceState', 'invalid_state', { jobs: [wrongJob] }],
        ['replaceState', 'invalid_body', []],
        ['resetWorkspace', 'unknown_field', { kepe: ['rules'] }],
        ['resetWorkspace', 'invalid_field', { keep: ['jobs'] }],
        ['createKey', 'unknown_field', { api_kye: 'x' }],
        ['createKey', 'invalid_field', { api_key: 'exec_live_short' }],
        ['updateKey', 'missing_field', {}],
        ['createMember', 'missing_field', {}],
        ['createMember', 'invalid_field', { email: 'nobody' }],
        ['updateSettings', 'unknown_field', { jiter: 0 }],
        ['updateSettings', 'invalid_field', { queue_time: '90' }],
        ['updateSettings', 'invalid_secret', { webhook_secrets: ['hunter2'] }],
        ['setClock', 'unknown_field', { mode: 'real', scael: 2 }],
        ['setClock', 'missing_field', {}],
        ['setClock', 'invalid_field', { mode: 'rael' }],
        ['setClock', 'invalid_body', []],
        ['advanceClock', 'unknown_field', { bye: '5s' }],
        ['advanceClock', 'missing_field', {}],
        ['advanceClock', 'invalid_field', { by: '5' }],
        ['advanceClock', 'invalid_body', []],
        ['createSourceScenario', 'unknown_field', { slgu: 'x', name: 'n' }],
        ['createSourceScenario', 'missing_field', {}],
        ['createRule', 'unknown_field', { match: { emial: 'jane@acme.com' } }],
        ['createRule', 'missing_field', {}],
        ['createRule', 'invalid_field', [{ match: {} }, { match: {}, do: { job: { queued: '5' } } }]],
        ['createRule', 'invalid_operation', { match: { operation: 'createScenarioJobs' } }],
        ['createRule', 'invalid_body', 7],
        ['createRule', 'too_many_rules', Array(10001).fill({ match: {} })],
        ['setInboxReplies', 'unknown_field', [{ stauts: 500 }]],
        ['setInboxReplies', 'missing_field', [{ times: 1 }]],
        ['setInboxReplies', 'invalid_field', [{ status: 500 }, { status: 200, delay: '5' }]],
        ['setInboxReplies', 'invalid_body', {}],
        ['transitionJob', 'unknown_field', { too: 'failed' }],
        ['transitionJob', 'missing_field', {}],
        ['transitionJob', 'invalid_to', { to: 'complete' }],
        ['transitionJob', 'misplaced_error', { to: 'completed', error: { code: 'X' } }],
        ['transitionJob', 'invalid_code', { to: 'failed', error: { code: '' } }],
        ['releaseJob', 'unknown_field', { job: 'x' }],
        ['redeliverWebhook', 'unknown_field', { job: 'x' }],
        ['releaseWebhook', 'unknown_field', { job: 'x' }],
        ['waitUntilSettled', 'unknown_field', { util: 'settled' }],
        ['waitUntilSettled', 'missing_field', {}],
        ['waitUntilSettled', 'invalid_until', { until: 'quiet' }],
        ['waitUntilSettled', 'invalid_wait', { until: 'settled', wait: '5' }],
        ['waitUntilSettled', 'foreign_since', { until: 'settled', since: '9.9' }],
        ['verifyRequests', 'unknown_field', { cuont: 1 }],
        ['verifyRequests', 'unknown_match', { order: [{ promt: 'x' }] }],
        ['verifyRequests', 'invalid_count', { count: -1 }],
        ['verifyRequests', 'misplaced_min', { count: 1, min: 1 }],
        ['verifyRequests', 'invalid_status', { status: '9xx' }],
        ['verifyRequests', 'invalid_end', { end: 'anwsered' }],
        ['verifyRequests', 'invalid_order', { order: [] }],
        ['verifyRequests', 'invalid_rules', { rules: 'unused' }],
        ['verifyRequests', 'misplaced_match', { rules: 'used', match: {} }],
        ['verifyRequests', 'secret_match', { match: { header: { Authorization: 'Bearer x' } } }],
        ['verifyRequests', 'invalid_wait', { wait: '5' }],
        ['verifyRequests', 'foreign_since', { since: '0.0.0.0.0.0.999999' }],
    ];
    for (const [operationId, example, body] of wrong) {
        const prefix = isServerWide(operations.get(operationId)) ? '' : `/w/${slug}`;
        const own = operationId === 'ensureWorkspace' ? { workspace: 'unmade' } : parameters;
        await call(server, operationId, { parameters: own, prefix, body, status: 422, example });
    }
}

/** The lives of workspaces, keys, members, settings and sources. */
export async function live(server) {
    // While there is but one workspace.
    await call(server, 'getSettings', { status: 200, example: 'settings' });
    await call(server, 'getInfo', { status: 200, example: 'info' });
    await call(server, 'listOutcomes', { status: 200 });

    const body = { name: 'Checkout tests', slug: 'checkout', api_key: key, project_id: 'shop',
        members: ['*@acme.com'], ttl: '10m', run: 'ci-42' };
    await call(server, 'createWorkspace', { body, status: 201, example: 'created' });
    await call(server, 'createWorkspace', { body: { slug: 'checkout' }, status: 409,
        example: 'slug_taken' });
    for (const [example, given] of [['api_key_taken', { api_key: key }],
        ['project_id_taken', { project_id: 'shop' }]]) {
        await call(server, 'createWorkspace', { body: given, status: 409, example });
        await call(server, 'ensureWorkspace', { parameters: { workspace: 'ensured' }, body: given,
            status: 409, example });
    }
    const ensured = { parameters: { workspace: 'ensured' }, body: { members: ['a@b.example'] } };
    await call(server, 'ensureWorkspace', { ...ensured, status: 201, example: 'created' });
    await call(server, 'ensureWorkspace', { ...ensured, status: 200, example: 'existing' });
    const parameters = { workspace: 'ensured' };
    await call(server, 'getWorkspace', { parameters, status: 200, example: 'workspace' });
    await call(server, 'updateWorkspace', { parameters, body: { active: false, ttl: null },
        status: 200, example: 'updated' });
    await call(server, 'deleteWorkspace', { parameters, status: 200, example: 'deleted' });
    for (const operationId of ['getWorkspace', 'updateWorkspace', 'deleteWorkspace'])
        await call(server, operationId, { parameters, status: 404, example: 'workspace_absent',
            body: operationId === 'updateWorkspace' ? {} : undefined });
    await call(server, 'deleteWorkspace', { parameters: { workspace: 'default' }, status: 409,
        example: 'default_workspace' });

    await parts(server, '/w/checkout');
    await jobs(server, '/w/checkout');
    await rules(server, '/w/checkout');
    await states(server, '/w/checkout');
    await inboxes(server);
    await webhooks(server);
    await events(server);
    await reports(server);
}

/** In a workspace with nothing else in it. */
async function inboxes(server) {
    const prefix = '/w/inboxed';
    const parameters = { inbox: 'orders' };
    await call(server, 'createWorkspace', { status: 201, body: { slug: 'inboxed' } });
    await call(server, 'listInbox', { prefix, parameters, status: 200, example: 'none' });
    for (const [query, example] of [['', 'not_so'], ['&wait=1ms', 'wait_expired']])
        await call(server, 'listInbox', { prefix, parameters, query: `?min=1${query}`, status: 409,
            example });
    await call(server, 'listInbox', { prefix, parameters, query: '?wait=5', status: 422,
        example: 'invalid_wait' });
    await call(server, 'postToInbox', { prefix, parameters, body: '{"paid":true}', status: 200,
        example: 'taken' });
    await call(server, 'listInbox', { prefix, parameters, query: '?wait=5s', status: 200,
        example: 'messages' });
    await call(server, 'emptyInbox', { prefix, parameters, status: 200, example: 'deleted' });
    await call(server, 'getInboxReplies', { prefix, parameters, status: 200, example: 'none' });
    const body = [{ status: 500, times: 2 }, { status: 200, delay: '10ms' }];
    await call(server, 'setInboxReplies', { prefix, parameters, body, status: 200,
        example: 'told' });
    await fetch(`${server.url}${prefix}/_mock/inbox/orders`, { method: 'POST' });
    await call(server, 'getInboxReplies', { prefix, parameters, status: 200, example: 'left' });
    for (const operationId of ['listInbox', 'postToInbox', 'emptyInbox', 'getInboxReplies',
        'setInboxReplies'])
        await call(server, operationId, { prefix, parameters: { inbox: 'or%20der' }, status: 422,
            body: operationId === 'setInboxReplies' ? '[]' : undefined, example: 'invalid_name' });
}

/** A workspace that somebody listens to until it is deleted. */
async function events(server) {
    const own = `exec_live_${'e'.repeat(40)}`;
    const prefix = '/w/heard';
    await call(server, 'createWorkspace', { status: 201, body: { slug: 'heard', api_key: own } });
    await call(server, 'listEvents', { prefix, headers: { 'Last-Event-ID': 'x' }, status: 422,
        example: 'invalid_last_event_id' });
    const heard = call(server, 'listEvents', { prefix, status: 200 });
    for (let listeners = 0; !listeners;) {
        const answer = await request(server.url, 'GET', '/metrics');
        verify('getMetrics', 200, undefined, answer);
        listeners = Number(/^understudy_event_listeners ([0-9]+)$/m.exec(answer.text)[1]);
    }
    await call(server, 'deleteWorkspace', { parameters: { workspace: 'heard' }, status: 200 });
    await heard;
}

/** A workspace with a job in it, written down and put back; and one that is reset. */
async function states(server, checkout) {
    const own = `exec_live_${'s'.repeat(40)}`;
    const prefix = '/w/written';
    await call(server, 'createWorkspace', { status: 201, body: { slug: 'written', api_key: own,
        members: ['*@acme.com'], ttl: '10m', clock: 'manual', seed: 42,
        settings: { queue_time: '10s' } } });
    await call(server, 'createScenarioJob', { status: 201, headers: bearer(own),
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call',
            callback_url: 'http://inbox.test/hook', callback_headers: { Authorization: 'x' } } });
    await call(server, 'getState', { prefix, query: '?reveal=yes', status: 422,
        example: 'invalid_reveal' });
    const body = await call(server, 'getState', { prefix, status: 200, example: 'state' });
    await call(server, 'replaceState', { prefix, body, status: 200, example: 'state' });
    const state = { keys: body.keys };
    await call(server, 'replaceState', { prefix: checkout, body: state, status: 409,
        example: 'state_key_taken' });
    await call(server, 'createWorkspace', { body: { state }, status: 409,
        example: 'state_key_taken' });
    await call(server, 'ensureWorkspace', { parameters: { workspace: 'unmade' }, body: { state },
        status: 409, example: 'state_key_taken' });
    await call(server, 'resetWorkspace', { prefix: checkout, body: { keep: ['rules'] },
        status: 200, example: 'reset' });
    await call(server, 'deleteWorkspace', { parameters: { workspace: 'written' }, status: 200 });
}

/** A job of a queue time of an hour: nothing moves it but what is asked for here. */
async function jobs(server, prefix) {
    await call(server, 'listWorkspaces', { query: '?limit=0', status: 422,
        example: 'invalid_limit' });
    await call(server, 'updateSettings', { prefix, body: { rate_limit: null, queue_time: '1h' },
        status: 200 });
    const wrong = [['status=complete', 'invalid_status'], ['limit=0', 'invalid_limit'],
        ['wait=5', 'invalid_wait'], ['min=2&limit=1', 'min_above_limit'],
        ['since=9.9', 'invalid_since'], ['limit=1&limit=1', 'given_twice']];
    for (const [query, example] of wrong)
        await call(server, 'listJobs', { prefix, query: `?${query}`, status: 422, example });
    await call(server, 'listJobs', { prefix, status: 200, example: 'none' });
    const { id: job } = await call(server, 'createScenarioJob', { prefix, status: 201,
        headers: { ...bearer(key), 'Content-Type': 'application/json' },
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call' } });
    await call(server, 'listJobs', { prefix, query: '?user_email=*@ACME.com&limit=1', status: 200,
        example: 'queued' });
    const parameters = { job };
    await call(server, 'getJob', { prefix, parameters, status: 200, example: 'queued' });
    for (const [query, example] of [['', 'not_so'], ['&wait=1ms', 'wait_expired']]) {
        await call(server, 'listJobs', { prefix, query: `?request_id=none&min=1${query}`,
            status: 409, example });
        await call(server, 'getJob', { prefix, parameters, query: `?until=terminal${query}`,
            status: 409, example });
        await call(server, 'waitUntilSettled', { prefix, status: 409, example,
            body: { until: 'settled', min_requests: 1000, ...(query && { wait: '1ms' }) } });
    }
    const questions = [['until=complete', 'invalid_until'], ['wait=5s', 'missing_parameter'],
        ['until=failed&wait=5', 'invalid_wait']];
    for (const [query, example] of questions)
        await call(server, 'getJob', { prefix, parameters, query: `?${query}`, status: 422,
            example });
    await call(server, 'releaseJob', { prefix, parameters, body: {}, status: 409,
        example: 'not_held' });
    await call(server, 'transitionJob', { prefix, parameters, body: { to: 'processing' },
        status: 200 });
    const error = { code: 'RATE_LIMITED', message: 'Too much at once' };
    await call(server, 'transitionJob', { prefix, parameters, body: { to: 'failed', error },
        status: 200, example: 'failed' });
    await call(server, 'getJob', { prefix, parameters, status: 200, example: 'failed' });
    await call(server, 'transitionJob', { prefix, parameters, body: { to: 'completed' },
        status: 409, example: 'illegal_transition' });
    await call(server, 'waitUntilSettled', { prefix, body: { until: 'settled' }, status: 200,
        example: 'settled' });
    const absent = { prefix, parameters: { job: '000000000000' }, status: 404,
        example: 'job_not_found' };
    await call(server, 'getJob', absent);
    await call(server, 'transitionJob', { ...absent, body: { to: 'failed' } });
    await call(server, 'releaseJob', { ...absent, body: {} });
}

/** Rules of a workspace, one of which acts. */
async function rules(server, prefix) {
    await call(server, 'listRules', { prefix, status: 200, example: 'none' });
    const body = { label: 'renewal', match: { operation: 'createScenarioJob', email: '*@acme.com' },
        do: { job: { end: 'failed' } }, times: 1 };
    const { id: rule } = await call(server, 'createRule', { prefix, body, status: 201,
        example: 'created' });
    await call(server, 'listRules', { prefix, status: 200, example: 'rules' });
    await call(server, 'createScenarioJob', { prefix, status: 201,
        headers: { ...bearer(key), 'Content-Type': 'application/json' },
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call' } });
    const parameters = { rule };
    await call(server, 'getRule', { prefix, parameters, query: '?wait=30s', status: 200,
        example: 'hit' });
    await call(server, 'getRule', { prefix, parameters, query: '?min=2', status: 409,
        example: 'wait_impossible' });
    const several = await call(server, 'createRule', { prefix, body: [body], status: 201,
        example: 'several' });
    const other = { rule: several[0].id };
    await call(server, 'createScenarioJob', { prefix, status: 201,
        headers: { ...bearer(key), 'Content-Type': 'application/json' },
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call' } });
    const watch = await call(server, 'createRule', { prefix, body: { match: {} }, status: 201 });
    await call(server, 'createScenarioJob', { prefix, status: 201,
        headers: { ...bearer(key), 'Content-Type': 'application/json' },
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call' } });
    for (const [query, example] of [['', 'not_so'], ['&wait=1ms', 'wait_expired']]) {
        await call(server, 'listRules', { prefix, query: `?label=none&min=1${query}`, status: 409,
            example });
        await call(server, 'getRule', { prefix, parameters: { rule: watch.id },
            query: `?min=2${query}`, status: 409, example });
    }
    for (const operationId of ['listRules', 'getRule'])
        await call(server, operationId, { prefix, parameters, query: '?wait=5', status: 422,
            example: 'invalid_wait' });
    await call(server, 'deleteRule', { prefix, parameters, status: 204 });
    for (const operationId of ['getRule', 'deleteRule'])
        await call(server, operationId, { prefix, parameters, status: 404,
            example: 'rule_not_found' });
    await call(server, 'deleteRules', { prefix, status: 422, example: 'missing_parameter' });
    await call(server, 'deleteRules', { prefix, query: '?label=renewal', status: 200,
        example: 'deleted' });
    await call(server, 'deleteRule', { prefix, parameters: { rule: watch.id }, status: 204 });
    await call(server, 'getRule', { prefix, parameters: other, status: 404,
        example: 'rule_not_found' });
}

async function parts(server, prefix) {
    await call(server, 'listKeys', { prefix, status: 200, example: 'list' });
    const made = await call(server, 'createKey', { prefix, status: 201, example: 'created' });
    await call(server, 'createKey', { prefix, body: { api_key: made.api_key }, status: 409,
        example: 'api_key_taken' });
    const parameters = { key: made.last4 };
    await call(server, 'updateKey', { prefix, parameters, body: { active: false }, status: 200,
        example: 'updated' });
    await call(server, 'deleteKey', { prefix, parameters, status: 204 });
    for (const [operationId, body] of [['updateKey', { active: true }], ['deleteKey']])
        await call(server, operationId, { prefix, parameters, body, status: 404,
            example: 'key_not_found' });
    for (const letter of ['a', 'b'])
        await call(server, 'createKey', { prefix, status: 201,
            body: { api_key: `exec_live_${letter.repeat(36)}same` } });
    for (const [operationId, body] of [['updateKey', { active: true }], ['deleteKey']])
        await call(server, operationId, { prefix, parameters: { key: 'same' }, body, status: 409,
            example: 'key_ambiguous' });

    const email = '*@globex.example';
    await call(server, 'listMembers', { prefix, status: 200, example: 'list' });
    await call(server, 'createMember', { prefix, body: { email }, status: 201,
        example: 'created' });
    await call(server, 'createMember', { prefix, body: { email }, status: 409,
        example: 'member_exists' });
    await call(server, 'deleteMember', { prefix, parameters: { email }, status: 204 });
    await call(server, 'deleteMember', { prefix, parameters: { email }, status: 404,
        example: 'member_not_found' });

    await call(server, 'updateSettings', { prefix, body: { rate_limit: 'vendor' }, status: 200,
        example: 'vendor' });
    await call(server, 'updateSettings', { prefix, status: 200, example: 'callbacks',
        body: { rate_limit: null, callback_timeout: '2s', callback_retries: ['5s', '5m'],
            callback_map: { 'https://hooks.acme.com': 'http://127.0.0.1:4000' },
            callback_on: ['completed'], webhook_secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] } });
    await clock(server);

    const source = await call(server, 'createSourceScenario', { prefix,
        body: { name: 'Discovery Call' }, status: 201, example: 'created' });
    assert.equal(source.slug, 'discovery-call');
    await call(server, 'createSourceScenario', { prefix, body: { name: 'Other', id: source.id },
        status: 409, example: 'scenario_id_taken' });
    await call(server, 'createSourceScenario', { prefix, body: { name: 'Discovery Call' },
        status: 409, example: 'scenario_slug_taken' });
}

/** The journal, in a workspace of its own. `mute` is a server without one. */
export async function journal(server, mute) {
    const key = `exec_live_${'j'.repeat(40)}`;
    const prefix = '/w/journaled';
    await call(server, 'createWorkspace', { status: 201, body: { slug: 'journaled', api_key: key,
        members: ['*@acme.com'] } });
    const list = (query, status, example) => call(server, 'listRequests', { prefix, query, status,
        example });
    await list('', 200, 'none');
    await list('?format=har', 200, 'har');
    await list('?min=1', 409, 'not_so');
    await list('?min=1&wait=1ms', 409, 'wait_expired');
    await list('?status=9xx', 422, 'invalid_status');
    await list('?operation=createScenarioJobs', 422, 'invalid_operation');
    await list('?header={', 422, 'invalid_header');
    await list('?wait=5', 422, 'invalid_wait');
    await call(server, 'createScenarioJob', { status: 201,
        headers: { ...bearer(key), 'Content-Type': 'application/json', 'X-Request-Id': 'signup-17' },
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call' } });
    const { items: [{ id }] } = await list('', 200, 'requests');
    await call(server, 'getRequest', { prefix, parameters: { request: id }, status: 200,
        example: 'request' });
    await call(server, 'getRequest', { prefix, parameters: { request: 'none' }, status: 404,
        example: 'request_not_found' });
    await timelines(server, prefix, key);
    await call(server, 'deleteRequests', { prefix, status: 200, example: 'deleted' });
    for (const operationId of ['listRequests', 'getRequest', 'deleteRequests'])
        await call(mute, operationId, { parameters: { request: 1 }, status: 409,
            example: 'journal_off' });
    await call(mute, 'getReport', { status: 409, example: 'journal_off' });
}

/** Of the run that a workspace was made for above. */
async function reports(server) {
    const ask = (query, status, example, prefix) => call(server, 'getReport', { prefix, query,
        status, example });
    for (const query of ['', '?run=ci-42', '?format=md', '?format=junit', '?workspace=checkout'])
        await ask(query, 200);
    await ask('?run=ci-24', 404, 'run_not_found');
    await ask('?run=ci-24', 404, 'run_of_another', '/w/checkout');
    await ask('?format=unit', 422, 'invalid_format');
}

/** What happened: an item of each kind. */
async function timelines(server, prefix, key) {
    const rule = (match, act) => call(server, 'createRule', { prefix, status: 201,
        body: { match, times: 1, do: act } });
    await rule({ operation: 'createScenarioJob' }, { job: { end: 'failed' } });
    await call(server, 'updateSettings', { prefix, status: 200,
        body: { queue_time: '0ms', processing_time: '0ms', callback_map: { '*': 'http://inbox.test/all' } } });
    const { id: job } = await call(server, 'createScenarioJob', { status: 201, headers: bearer(key),
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call',
            callback_url: 'https://hooks.acme.com/done' } });
    await call(server, 'waitUntilSettled', { prefix, body: { until: 'settled', wait: '30s' }, status: 200 });
    await rule({ operation: 'getScenarioJob' }, { truncate: 5 });
    await assert.rejects(call(server, 'getScenarioJob', { parameters: { job_id: job }, headers: bearer(key),
        status: 200 }));
    for (const [operationId, parameters] of [['getTimeline', {}], ['getJobTimeline', { job }]]) {
        const timeline = (query, status, example) => call(server, operationId, { prefix, parameters,
            query, status, example });
        const { items, cursor } = await timeline('', 200);
        assert.deepEqual([...new Set(items.map(({ kind }) => kind))].sort(), ['attempt', 'control',
            'delivery', 'fault', 'request', 'rule', 'transition'], operationId);
        await timeline(`?since=${cursor}`, 200, 'nothing_new');
        await timeline('?format=text', 200);
        await timeline('?format=txt', 422, 'invalid_format');
    }
    await call(server, 'getJobTimeline', { prefix, parameters: nobody, status: 404,
        example: 'job_not_found' });
}

/** Lint, in a workspace of its own. `mute` is a server without a journal. */
export async function lint(server, mute) {
    const key = `exec_live_${'l'.repeat(40)}`;
    const prefix = '/w/linted';
    await call(server, 'createWorkspace', { status: 201, body: { slug: 'linted', api_key: key,
        members: ['*@acme.com'], settings: { lint: { ignore: ['unknown_field'] } } } });
    const list = (query, status, example) => call(server, 'listFindings', { prefix, query, status,
        example });
    await list('', 200, 'none');
    await list('?id=unknown_feild', 422, 'invalid_id');
    await call(server, 'createScenarioJob', { status: 201, headers: bearer(key),
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call',
            callbackUrl: 'https://hooks.acme.com/exec-scenarios' } });
    await list('?severity=error', 200, 'findings');
    await call(mute, 'listFindings', { status: 409, example: 'journal_off' });
}

/** In a workspace with a seed, whose ids and times are the same each time. */
async function clock(server) {
    const key = `exec_live_${'c'.repeat(40)}`;
    const prefix = '/w/timed';
    await call(server, 'createWorkspace', { status: 201, body: { slug: 'timed', api_key: key,
        members: ['*@acme.com'], clock: 'manual', seed: 42,
        settings: { queue_time: '10s', processing_time: '290s' } } });
    await call(server, 'createScenarioJob', { headers: bearer(key), status: 201,
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call' } });
    await call(server, 'setClock', { prefix, body: '"manual"', status: 200, example: 'manual' });
    await call(server, 'getClock', { prefix, status: 200, example: 'clock' });
    await call(server, 'advanceClock', { prefix, body: { by: '5m' }, status: 200,
        example: 'advanced' });
    await call(server, 'advanceClock', { prefix, body: { until: 'settled' }, status: 200,
        example: 'settled' });
    const advance = (until, status, example) => call(server, 'advanceClock', { prefix,
        body: { until }, status, example });
    await advance({ job: '429153dffd2e', status: 'failed' }, 409, 'wait_impossible');
    await advance({ job: 'e915db08c62f', status: 'terminal' }, 404, 'job_not_found');
    await call(server, 'advanceClock', { prefix, body: { to: '2020-01-01T00:00:00Z' },
        status: 409, example: 'clock_backward' });
    await call(server, 'setClock', { prefix, status: 409, example: 'clock_backward',
        body: { mode: 'manual', now: '2020-01-01T00:00:00Z' } });
    await call(server, 'deleteWorkspace', { parameters: { workspace: 'timed' }, status: 200,
        example: 'deleted' });
}
