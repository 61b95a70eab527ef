// Verifications, held against the document.

import { call } from './verify.mjs';

/** Verifications, in a workspace whose ids and times are the same each time. */
export async function verifications(server, mute) {
    const key = `exec_live_${'v'.repeat(40)}`;
    const prefix = '/w/verified';
    await call(server, 'createWorkspace', { status: 201, body: { slug: 'verified', api_key: key,
        members: ['*@acme.com'], seed: 42,
        clock: { mode: 'manual', now: '2024-03-01T10:00:00Z' } } });
    const make = (prompt, id) => call(server, 'createScenarioJob', { status: 201,
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json',
            'X-Request-Id': id },
        body: { user_email: 'jane@acme.com', prompt } });
    const match = { operation: 'createScenarioJob', prompt: 'renewal call' };
    const ask = (body, status, example) => call(server, 'verifyRequests', { prefix, body, status,
        example });
    await make('Practice a renewal call', 'signup-17');
    const { cursor } = await ask({ match }, 200, 'verified');
    await ask({ order: [{ ...match, status: 201 }], status: '2xx', end: 'answered' }, 200,
        'in_order');
    await ask({ rules: 'used' }, 200, 'rules');
    await make('Practice a renewel call', 'signup-18');
    await ask({ match, since: cursor }, 409, 'not_verified');
    await call(mute, 'verifyRequests', { body: {}, status: 409, example: 'journal_off' });
}
