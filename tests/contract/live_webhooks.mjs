// The record of deliveries, as live_control.mjs has the rest of /_mock: a workspace whose jobs end when
// they are told to, and a receiver that answers by the path.

import http from 'node:http';

import { call } from './verify.mjs';

const key = `exec_live_${'w'.repeat(40)}`;
const prefix = '/w/hooks';
const callback_headers = { Authorization: 'Bearer secret' };

/** Answers 500 and then 200, or to /open when `answer()` says so. */
function startReceiver() {
    const open = [];
    let count = 0;
    const server = http.createServer((request, response) => {
        const answer = () => {
            count += 1;
            response.sendDate = false;
            response.writeHead(count === 1 ? 500 : 200, { 'Content-Length': 2, Connection: 'close' });
            response.end(count === 1 ? 'no' : 'ok');
        };
        request.resume().on('end', () => (request.url === '/open' ? open.push(answer) : answer()));
    });
    return new Promise((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve({
            url: `http://127.0.0.1:${server.address().port}`,
            answer: () => open.splice(0).forEach((one) => one()),
            close: () => server.close(),
        }));
    });
}

/** A state with one job and these deliveries of it, by their ids held. */
const heldState = (callback_url, ids) => {
    const time = '2024-03-01T10:00:00.000Z';
    const job = 'd4e5f6a7b8c9';
    return {
        jobs: [{ id: job, status: 'cancelled', created_at: time, completed_at: time,
            base_url: 'http://localhost:3000', user_email: 'jane@acme.com',
            prompt: 'Practice a renewal call', callback_url, callback_headers }],
        deliveries: ids.map((id) => ({ job, status: 'held', created_at: time, id })),
    };
};

async function asked(server) {
    const wrong = [['listWebhooks', 'status=deliverd', 'invalid_status'],
        ['listWebhooks', 'host=a%20b', 'invalid_host'], ['listWebhooks', 'wait=5', 'invalid_wait'],
        ['getWebhook', 'status=deliverd', 'invalid_status'],
        ['getWebhook', 'reveal=yes', 'invalid_reveal'],
        ['getWebhook', 'status=held&wait=5', 'invalid_wait'],
        ['getWebhook', 'wait=5s', 'missing_parameter']];
    for (const [operationId, query, example] of wrong)
        await call(server, operationId, { prefix, parameters: { webhook: 'd1e2f3a4b5c6' },
            query: `?${query}`, status: 422, example });
    await call(server, 'listWebhooks', { prefix, status: 200, example: 'none' });
    for (const [query, example] of [['min=1', 'not_so'], ['wait=1ms', 'wait_expired']])
        await call(server, 'listWebhooks', { prefix, query: `?${query}`, status: 409, example });
    const absent = { prefix, parameters: { webhook: '000000000000' }, status: 404,
        example: 'webhook_not_found' };
    await call(server, 'getWebhook', absent);
    await call(server, 'redeliverWebhook', { ...absent, body: {} });
    await call(server, 'releaseWebhook', { ...absent, body: {} });
}

/** One that fails, and then comes through. */
async function failed(server, receiver) {
    const job = await call(server, 'createScenarioJob', { prefix, status: 201,
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: { user_email: 'jane@acme.com', prompt: 'Practice a renewal call', callback_headers,
            callback_url: `${receiver.url}/hook` } });
    await call(server, 'transitionJob', { prefix, parameters: { job: job.id },
        body: { to: 'failed' }, status: 200 });
    const { items: [{ id: webhook }] } = await call(server, 'listWebhooks', { prefix,
        query: '?status=exhausted&wait=20s', status: 200, example: 'exhausted' });
    const parameters = { webhook };
    await call(server, 'getWebhook', { prefix, parameters, status: 200, example: 'exhausted' });
    await call(server, 'getWebhook', { prefix, parameters, query: '?reveal=true', status: 200,
        example: 'revealed' });
    await call(server, 'redeliverWebhook', { prefix, parameters, body: {}, status: 200,
        example: 'redelivered' });
}

async function held(server, receiver) {
    const parameters = { webhook: 'd1e2f3a4b5c6' };
    await call(server, 'replaceState', { prefix, body: heldState(`${receiver.url}/hook`,
        [parameters.webhook]), status: 200 });
    await call(server, 'getWebhook', { prefix, parameters, status: 200, example: 'held' });
    for (const [query, example] of [['', 'not_so'], ['&wait=1ms', 'wait_expired']])
        await call(server, 'getWebhook', { prefix, parameters, query: `?status=ended${query}`,
            status: 409, example });
    await call(server, 'releaseWebhook', { prefix, parameters, body: {}, status: 200,
        example: 'released' });
    await call(server, 'releaseWebhook', { prefix, parameters, body: {}, status: 409,
        example: 'delivery_not_held' });
}

async function underWay(server, receiver) {
    const parameters = { webhook: 'd1e2f3a4b5c6' };
    await call(server, 'replaceState', { prefix, body: heldState(`${receiver.url}/open`,
        [parameters.webhook]), status: 200 });
    const both = ['redeliverWebhook', 'releaseWebhook'];
    const again = call(server, both[0], { prefix, parameters, body: {}, status: 200 });
    let sent;
    do sent = await call(server, 'getWebhook', { prefix, parameters, status: 200 });
    while (!sent.under_way);
    for (const operationId of both)
        await call(server, operationId, { prefix, parameters, body: {}, status: 409,
            example: 'delivery_under_way' });
    const answering = setInterval(receiver.answer, 5); // the request may not have come yet
    await again;
    clearInterval(answering);
}

export async function webhooks(server) {
    const receiver = await startReceiver();
    await call(server, 'createWorkspace', { status: 201, body: { slug: 'hooks', api_key: key,
        members: ['*@acme.com'], settings: { queue_time: '1h' } } });
    await asked(server);
    await failed(server, receiver);
    await held(server, receiver);
    await underWay(server, receiver);
    await call(server, 'deleteWorkspace', { parameters: { workspace: 'hooks' }, status: 200 });
    receiver.close();
}
