// Signed callbacks (Standard Webhooks 1.0.0), as a receiver finds them that verifies with the npm
// package of that name: S25 (unsigned, unless settings say otherwise), C10 (the time is real).

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';

import { serve, studio } from './client.mjs';
import { control } from './control.mjs';
import { receive } from './receiver.mjs';

const { Webhook } = createRequire(new URL('../contract/package.json', import.meta.url))('standardwebhooks');

const secret = (bytes) => `whsec_${randomBytes(bytes).toString('base64')}`;
const verifies = (own, { text, headers }) => {
    try {
        new Webhook(own).verify(text, headers);
        return true;
    } catch (error) {
        assert.equal(error.constructor.name, 'WebhookVerificationError', error.stack);
        return false;
    }
};

let server;

before(async (t) => { server = await serve(t); });

async function workspace(settings, clock = 'manual') {
    const made = await control(server).make({ members: ['*'], clock, settings });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    const api = studio(server, { prefix, key: made.api_key });
    return { mock, api,
        async end(fields) {
            const { id } = await api.newJob(fields);
            await mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to: 'completed' } });
            return id;
        } };
}

test('without secrets nothing is signed', async (t) => {
    const receiver = await receive(t);
    const own = await workspace();
    await own.end({ callback_url: receiver.url });
    const [{ headers }] = await receiver.came(1);
    assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith('webhook-')), []);
});

test('each of 200 callbacks verifies by its secret, whatever its body, and by no other', async (t) => {
    const receiver = await receive(t);
    const own = await workspace();
    const other = secret(32);
    const texts = ['plain', 'ünïcödé 漢字 🎭', '"quotes" \\ and\nlines', '\u2028\u200f', '</script>'];
    for (let i = 0; i < 200; i++) {
        const key = secret(24 + i % 41);
        await own.mock.set({ webhook_secrets: [key] });
        await own.end({ callback_url: receiver.url, prompt: `Practice ${texts[i % texts.length]} ${i}` });
        const request = (await receiver.came(i + 1))[i];
        assert.match(request.headers['webhook-signature'], /^v1,[A-Za-z0-9+/]{43}=$/);
        assert.ok(verifies(key, request), `${i}: ${key} ${request.text}`);
        assert.ok(!verifies(other, request));
        assert.ok(!verifies(key, { ...request, text: `${request.text} ` }));
        const { 'webhook-id': id, 'webhook-timestamp': time } = request.headers;
        for (const wrong of [{ 'webhook-id': `${id}0` }, { 'webhook-timestamp': `${Number(time) + 1}` }])
            assert.ok(!verifies(key, { ...request, headers: { ...request.headers, ...wrong } }));
    }
});

test('C10: the id is the delivery\'s, twelve of hex, the time real', async (t) => {
    const receiver = await receive(t);
    const own = await workspace({ webhook_secrets: [secret(32)] },
        { mode: 'manual', now: '2001-01-01T00:00:00Z' });
    await own.end({ callback_url: receiver.url });
    const [{ headers, at, raw }] = await receiver.came(1);
    assert.match(headers['webhook-id'], /^[0-9a-f]{12}$/);
    assert.ok(Math.abs(headers['webhook-timestamp'] - at / 1000) < 60, headers['webhook-timestamp']);
    assert.deepEqual(raw.map(([name]) => name).filter((name) => /^webhook-/i.test(name)),
        ['webhook-id', 'webhook-timestamp', 'webhook-signature']);
});

test('while secrets change over, either of two verifies', async (t) => {
    const receiver = await receive(t);
    const [before_, after_] = [secret(24), secret(64)];
    const own = await workspace({ webhook_secrets: [after_, before_] });
    await own.end({ callback_url: receiver.url, callback_headers: { 'X-Own': 'kept' } });
    const [request] = await receiver.came(1);
    assert.equal(request.headers['webhook-signature'].split(' ').length, 2);
    assert.equal(request.headers['x-own'], 'kept');
    assert.ok(verifies(after_, request) && verifies(before_, request));
    await own.mock.set({ webhook_secrets: [after_] });
    await own.end({ callback_url: receiver.url });
    const [, second] = await receiver.came(2);
    assert.ok(verifies(after_, second) && !verifies(before_, second));
});
